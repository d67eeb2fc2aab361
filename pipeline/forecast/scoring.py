"""How a forecast is judged, and the price range that learns from its hits. Knows numbers only."""

import math

import numpy as np

# The share of windows whose closing price the range shall contain.
WANTED_COVERAGE = 0.9
# Scored windows that count as recent: a day of minutes. Fewer than a quarter of it have no mean.
RECENT = 1440
MIN_RECENT = RECENT // 4


def qlike(realized: float, forecast: float) -> float:
    """The loss QLIKE of two variances: 0 if they are equal, more for a forecast that is too small
    than for one that is too large. Unlike a squared error, it is not decided by a few wild days."""
    ratio = realized / forecast
    return ratio - math.log(ratio) - 1


class RangeWidth:
    """How many standard deviations the price range reaches to each side. Starts with that of the
    normal distribution; each miss widens it, each hit narrows it a little, so that in the long run
    the wanted share is hit, whatever the distribution."""

    NORMAL = 1.645
    STEP = 0.005
    MIN, MAX = 0.3, 10.0

    def __init__(self) -> None:
        self.deviations = self.NORMAL

    def learn(self, hit: bool) -> None:
        wider = self.deviations + self.STEP * (WANTED_COVERAGE - hit)
        self.deviations = min(max(wider, self.MIN), self.MAX)


class RecentScores:
    """The means of the last RECENT scores. Each score has these columns, in this order."""

    MODEL, ISSUED, NAIVE, HIT = range(4)

    def __init__(self) -> None:
        self._rows = np.zeros((RECENT, 4))
        self._sums = np.zeros(4)
        self._count = 0

    def add(self, model: float, issued: float, naive: float, hit: bool) -> None:
        """QLIKE of the model, of what was issued (the model's or the EWMA's) and of naive, and
        whether the closing price was in the range."""
        row = self._rows[self._count % RECENT]
        self._sums -= row
        row[:] = (model, issued, naive, hit)
        self._sums += row
        self._count += 1
        if self._count % RECENT == 0:
            self._sums = self._rows.sum(axis=0)  # removes what rounding has added up

    @property
    def is_full(self) -> bool:
        """Whether a whole day is scored."""
        return self._count >= RECENT

    def ratio(self, column: int) -> float | None:
        """QLIKE relative to naive: below 1 is better. None while too few windows are scored."""
        naive = float(self._sums[self.NAIVE])
        return float(self._sums[column]) / naive if self._count >= MIN_RECENT and naive > 0 else None

    def coverage(self) -> float | None:
        """The share of hits; None while too few windows are scored."""
        return float(self._sums[self.HIT]) / min(self._count, RECENT) if self._count >= MIN_RECENT else None
