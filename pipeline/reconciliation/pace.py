"""Keeps a program's use of CPU low by waiting after each piece of work. Knows nothing of the
work."""

import time
from collections.abc import Callable

from pipeline.stopping import Stop

# Shorter waits are saved up: each costs CPU itself.
MIN_WAIT_SECONDS = 0.05


class Pace:
    """Called after each piece of work, it waits until the CPU time used since the last wait is
    `share` of the time that has passed."""

    def __init__(self, share: float, stop: Stop, cpu_clock: Callable[[], float] = time.process_time) -> None:
        self._factor = 1 / share - 1
        self._stop = stop
        self._cpu_clock = cpu_clock
        self._used = cpu_clock()

    def begin(self) -> None:
        """What was used before does not count."""
        self._used = self._cpu_clock()

    def __call__(self) -> None:
        seconds = (self._cpu_clock() - self._used) * self._factor
        if seconds >= MIN_WAIT_SECONDS:
            self._stop.wait(seconds)
            self._used = self._cpu_clock()
