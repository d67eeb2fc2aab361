"""Lines for the person who runs mirror_table.py: one per step, and one that shows progress. Knows
terminals; knows no table."""

import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

GREEN, RED, DIM, PLAIN = "\033[32m", "\033[31m", "\033[2m", "\033[0m"
ERASE_LINE = "\r\033[K"
# Without a terminal (a log, a pipe), progress is a new line each.
SECONDS_PER_LINE = 5.0
SECONDS_PER_UPDATE = 0.5


class Console:
    """Colours only on a terminal and without NO_COLOR."""

    def __init__(self, out: TextIO = sys.stdout, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._is_terminal = out.isatty()
        self._has_colour = self._is_terminal and not os.environ.get("NO_COLOR")
        self._next_progress = 0.0
        self._on_progress_line = False

    def line(self, text: str = "") -> None:
        self._write(text + "\n", stays=True)

    def done(self, text: str) -> None:
        self.line(self._painted(GREEN, text))

    def failed(self, text: str) -> None:
        self.line(self._painted(RED, text))

    def detail(self, text: str) -> None:
        self.line(self._painted(DIM, text))

    def progress(self, text: str) -> None:
        """Overwrites the last progress on a terminal; at most every few seconds elsewhere."""
        now = self._clock()
        if now < self._next_progress:
            return
        self._next_progress = now + (SECONDS_PER_UPDATE if self._is_terminal else SECONDS_PER_LINE)
        self._write(text if self._is_terminal else text + "\n", stays=not self._is_terminal)

    def _painted(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._has_colour else text

    def _write(self, text: str, stays: bool) -> None:
        erase = ERASE_LINE if self._on_progress_line else ""
        self._on_progress_line = not stays
        print(erase + text, end="", file=self._out, flush=True)
