"""The recent minutes of one symbol, and sums over windows of them in constant time. Knows nothing
of models."""

import math
from typing import NamedTuple

from pipeline.intervals import MINUTE_MS

DAY_MINUTES = 1440
# The longest window that is read: a window of up to a day that ended a day ago.
KEPT_MINUTES = 2 * DAY_MINUTES + 1
# A log range squared is this many times the variance, on average (Parkinson, 1980).
PARKINSON = 4 * math.log(2)
# A window with gaps still gives a feature if it has this share of its minutes.
MIN_SHARE = 0.8


class Candle(NamedTuple):
    """A closed candle of one minute; prices are positive."""

    open_time_ms: int
    high: float
    low: float
    close: float
    trades: int


class Sums(NamedTuple):
    """Running totals up to and including a minute; a window is the difference of two of them.

    `returns` counts the minutes whose return is known: this minute and the one before it have a
    candle."""

    squares: float = 0.0
    returns: int = 0
    ranges: float = 0.0
    candles: int = 0
    traded: int = 0


class Minutes:
    """Totals of a symbol's last KEPT_MINUTES, at least. The newest minute is `last`; minutes are
    counted from 1970."""

    def __init__(self) -> None:
        self._sums: list[Sums] = []
        self._closes: list[float] = []  # NaN where the candle is missing
        self._first = 0

    @property
    def last(self) -> int:
        """The newest minute; -1 before the first candle."""
        return self._first + len(self._sums) - 1

    def add(self, candle: Candle) -> bool:
        """Append a candle; skipped minutes are kept as missing. Returns False for a minute that is
        not newer than the last one: it is ignored."""
        minute = candle.open_time_ms // MINUTE_MS
        if self._sums and minute <= self.last:
            return False
        if not self._sums or minute - self.last > KEPT_MINUTES:
            self._start_at(minute)
        while self.last < minute - 1:
            self._append(self._sums[-1], math.nan)
        self._append(self._with(candle), candle.close)
        return True

    def close(self, minute: int) -> float:
        """The closing price; NaN if the candle is missing or no longer kept."""
        place = minute - self._first
        return self._closes[place] if 0 <= place < len(self._closes) else math.nan

    def last_square(self) -> float | None:
        """The squared log return of the newest minute; None if it is not known."""
        newest, before = self._sums[-1], self._sums[-2]
        return newest.squares - before.squares if newest.returns > before.returns else None

    def realized_variance(self, end: int, length: int) -> float | None:
        """The sum of the squared log returns of the `length` minutes up to and including `end`.
        None if a minute is missing, or if none of them had a trade: such a window says nothing
        about the market."""
        sums = self._window(end, length)
        return sums.squares if sums and sums.returns == length and sums.traded > 0 else None

    def mean_square(self, end: int, length: int) -> float | None:
        """The mean squared log return per minute; None if too many minutes are missing."""
        sums = self._window(end, length)
        return sums.squares / sums.returns if sums and sums.returns >= MIN_SHARE * length else None

    def mean_range(self, end: int, length: int) -> float | None:
        """The variance per minute as estimated from highs and lows, which are less noisy than the
        returns; None if too many minutes are missing."""
        sums = self._window(end, length)
        return sums.ranges / sums.candles if sums and sums.candles >= MIN_SHARE * length else None

    def _window(self, end: int, length: int) -> Sums | None:
        after, before = end - self._first, end - length - self._first
        if before < 0 or after >= len(self._sums):
            return None
        a, b = self._sums[after], self._sums[before]
        return Sums(
            a.squares - b.squares,
            a.returns - b.returns,
            a.ranges - b.ranges,
            a.candles - b.candles,
            a.traded - b.traded,
        )

    def _with(self, candle: Candle) -> Sums:
        sums, before = self._sums[-1], self._closes[-1]
        squares, returns = sums.squares, sums.returns
        if not math.isnan(before):
            squares += math.log(candle.close / before) ** 2
            returns += 1
        ranges = sums.ranges + math.log(candle.high / candle.low) ** 2 / PARKINSON
        return Sums(squares, returns, ranges, sums.candles + 1, sums.traded + (candle.trades > 0))

    def _append(self, sums: Sums, close: float) -> None:
        self._sums.append(sums)
        self._closes.append(close)
        if len(self._sums) > 2 * KEPT_MINUTES:
            del self._sums[:KEPT_MINUTES]
            del self._closes[:KEPT_MINUTES]
            self._first += KEPT_MINUTES

    def _start_at(self, minute: int) -> None:
        """Forget everything and begin with a missing minute before this one."""
        self._sums = [Sums()]
        self._closes = [math.nan]
        self._first = minute - 1
