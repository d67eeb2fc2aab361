"""Progress for a person: one line per step, with the time since the start. Knows terminals; knows
no service."""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

GREEN, RED, DIM, BOLD, PLAIN = "\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"
ERASE_LINE = "\r\033[K"


class Console:
    """Writes whole lines from any thread. Colour only on a terminal and without NO_COLOR."""

    def __init__(self, out: TextIO = sys.stdout, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        # The supervisor goes on counting from the start of the bootstrap.
        self._started = float(os.environ.get("LOCAL_STARTED", clock()))
        self._terminal = out.isatty()
        self._colour = self._terminal and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()
        self._last_progress = 0.0
        self._progress_shown = False

    @property
    def started(self) -> float:
        return self._started

    def elapsed(self) -> float:
        return self._clock() - self._started

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._colour and colour else text

    def _write(self, text: str) -> None:
        with self._lock:
            erase, self._progress_shown = (ERASE_LINE if self._progress_shown else ""), False
            try:
                print(erase + text, file=self._out, flush=True)
            except (OSError, ValueError):
                pass  # the reader closed its end; the services do not depend on it

    def report(self, name: str, text: str) -> None:
        """One step of one service."""
        colour = GREEN if text.startswith(("ready", "done")) else ""
        self._write(f"{self._paint(f'{self.elapsed():6.1f} s', DIM)}  {name:17} {self._paint(text, colour)}")

    def progress(self, name: str, text: str) -> None:
        """A state that changes often: on a terminal the next line replaces it, elsewhere it is
        printed every five seconds."""
        if self._terminal:
            with self._lock:
                self._progress_shown = True
                line = f"{self.elapsed():6.1f} s  {name:17} {text}"[: os.get_terminal_size(self._out.fileno()).columns]
                print(ERASE_LINE + line, end="", file=self._out, flush=True)
        elif self._clock() - self._last_progress > 5:
            self._last_progress = self._clock()
            self.report(name, text)

    def line(self, text: str = "") -> None:
        self._write(text)

    def headline(self, text: str) -> None:
        self._write(self._paint(text, BOLD))

    def problem(self, text: str) -> None:
        self._write(self._paint(text, RED))
