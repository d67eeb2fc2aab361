"""The recent minutes of one symbol, and sums over windows of them in constant time. Knows nothing
of models."""

import math
from array import array
from typing import Any, NamedTuple

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


class Minutes:
    """A symbol's last KEPT_MINUTES, at least. The newest minute is `last`; minutes are counted from
    1970. Kept as running totals: a window is the difference of two of them."""

    def __init__(self) -> None:
        self.last = -1
        self._first = 0
        self._closes = array("d")  # NaN where the candle is missing
        self._squares = array("d")  # of log returns
        self._returns = array("q")  # how many are known: the minute and the one before it have a candle
        self._ranges = array("d")  # variances estimated from high and low
        self._candles = array("q")
        self._traded = array("q")  # minutes with trades

    def add(self, candle: Candle) -> bool:
        """Append a candle; skipped minutes are kept as missing. Returns False for a minute that is
        not newer than the last one: it is ignored."""
        minute = candle.open_time_ms // MINUTE_MS
        if minute <= self.last:
            return False
        if self.last < 0 or minute - self.last > KEPT_MINUTES:
            self._start_at(minute)
        while self.last < minute - 1:
            self._append(math.nan, 0.0, 0, 0.0, 0, 0)
        before = self._closes[-1]
        is_known = not math.isnan(before)
        square = math.log(candle.close / before) ** 2 if is_known else 0.0
        ranges = math.log(candle.high / candle.low) ** 2 / PARKINSON
        self._append(candle.close, square, is_known, ranges, 1, candle.trades > 0)
        return True

    def close(self, minute: int) -> float:
        """The closing price; NaN if the candle is missing or no longer kept."""
        place = minute - self._first
        return self._closes[place] if 0 <= place < len(self._closes) else math.nan

    def last_square(self) -> float | None:
        """The squared log return of the newest minute; None if it is not known."""
        return self._squares[-1] - self._squares[-2] if self._returns[-1] > self._returns[-2] else None

    def realized_variance(self, end: int, length: int) -> float | None:
        """The sum of the squared log returns of the `length` minutes up to and including `end`.
        None if a minute is missing, or if none of them had a trade: such a window says nothing
        about the market."""
        after, before = end - self._first, end - length - self._first
        if before < 0 or self._returns[after] - self._returns[before] < length:
            return None
        has_trades = self._traded[after] > self._traded[before]
        return self._squares[after] - self._squares[before] if has_trades else None

    def mean_square(self, end: int, length: int) -> float | None:
        """The mean squared log return per minute; None if too many minutes are missing."""
        return self._mean(self._squares, self._returns, end, length)

    def mean_range(self, end: int, length: int) -> float | None:
        """The variance per minute as estimated from highs and lows, which are less noisy than the
        returns; None if too many minutes are missing."""
        return self._mean(self._ranges, self._candles, end, length)

    def _mean(self, totals: "array[float]", counts: "array[int]", end: int, length: int) -> float | None:
        after, before = end - self._first, end - length - self._first
        if before < 0:
            return None
        count = counts[after] - counts[before]
        return (totals[after] - totals[before]) / count if count >= MIN_SHARE * length else None

    def _columns(self) -> "tuple[array[Any], ...]":
        return self._closes, self._squares, self._returns, self._ranges, self._candles, self._traded

    def _append(self, close: float, square: float, returns: int, ranges: float, candles: int, traded: int) -> None:
        self._closes.append(close)
        self._squares.append(self._squares[-1] + square)
        self._returns.append(self._returns[-1] + returns)
        self._ranges.append(self._ranges[-1] + ranges)
        self._candles.append(self._candles[-1] + candles)
        self._traded.append(self._traded[-1] + traded)
        self.last += 1
        if len(self._closes) > 2 * KEPT_MINUTES:
            for column in self._columns():
                del column[:KEPT_MINUTES]
            self._first += KEPT_MINUTES

    def _start_at(self, minute: int) -> None:
        """Forget everything and begin with a missing minute before this one."""
        for column in self._columns():
            del column[:]
            column.append(0)
        self._closes[0] = math.nan
        self._first = self.last = minute - 1
