"""The rows that a model learns from: the newest DAYS of one horizon. Knows numpy."""

from collections.abc import Sequence

import numpy as np

from pipeline.forecast.minutes import DAY_MINUTES
from pipeline.forecast.models import Array

DAYS = 14
# Windows of successive minutes overlap almost entirely: every fifth one tells as much.
STRIDE = 5
MAX_ROWS = DAYS * DAY_MINUTES // STRIDE
# Half a day.
MIN_ROWS = DAY_MINUTES // STRIDE // 2


class TrainingRows:
    """The last MAX_ROWS rows of (X, y), in the order of time."""

    def __init__(self) -> None:
        self._rows: Array = np.zeros((0, 0))
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, MAX_ROWS)

    def add(self, x: Sequence[float], y: float) -> None:
        if self._count >= len(self._rows) and len(self._rows) < MAX_ROWS:
            self._grow(len(x) + 1)
        self._rows[self._count % MAX_ROWS] = (*x, y)
        self._count += 1

    def arrays(self) -> tuple[Array, Array]:
        """X and y."""
        rows = self._rows[: self._count]
        if self._count > MAX_ROWS:
            rows = np.roll(self._rows, -(self._count % MAX_ROWS), axis=0)
        return rows[:, :-1], rows[:, -1]

    def _grow(self, columns: int) -> None:
        """A day more, so that a new symbol does not take the memory of two weeks."""
        size = min(len(self._rows) + DAY_MINUTES // STRIDE, MAX_ROWS)
        grown = np.zeros((size, columns))
        if self._count:
            grown[: self._count] = self._rows
        self._rows = grown
