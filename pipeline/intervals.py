"""Candle intervals as text and as milliseconds, and which stored interval a longer one can be
aggregated from. Knows nothing of a candle's values."""

import re

from pipeline.times import DAY_MS, HOUR_MS

# The exchange's intervals that may be stored. Not 1s: a Cassandra partition (symbol, interval) of
# klines would grow to millions of rows.
INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")

MINUTE_MS = 60_000
WEEK_MS = 7 * DAY_MS
UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": WEEK_MS}
INTERVAL = "[1-9][0-9]{0,3}[mhdw]|1M"
MONTH = "1M"
MAX_MONTH_MS = 31 * DAY_MS
# Weeks begin on Monday as the exchange's do: 1970-01-05.
FIRST_MONDAY_MS = 4 * DAY_MS
# Bucket widths that read well on a time axis.
LADDER = (
    *(n * MINUTE_MS for n in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(n * HOUR_MS for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * DAY_MS for n in (1, 2, 3, 5, 7, 14, 28)),
)


def interval_ms(interval: str) -> int | None:
    """Milliseconds of `5m`, `2h`, `3d`, `1w`; None for a month, which has no fixed length. Raises
    ValueError for any other text."""
    if interval == MONTH:
        return None
    if not re.fullmatch("[1-9][0-9]*[mhdw]", interval):
        raise ValueError(interval)
    return int(interval[:-1]) * UNITS[interval[-1]]


def max_interval_ms(interval: str) -> int:
    """Like `interval_ms`, with 31 days for a month. Raises ValueError."""
    return interval_ms(interval) or MAX_MONTH_MS


def interval_name(length_ms: int) -> str:
    """`120000` → `2m`, in the largest unit that divides it. Weeks are given in days, because they
    do not start at a multiple of their length."""
    unit = next(unit for unit in "dhm" if length_ms % UNITS[unit] == 0)
    return f"{length_ms // UNITS[unit]}{unit}"


def floor_ms(time_ms: int, length: int, origin: int = 0) -> int:
    """The last multiple of `length`, counted from `origin`, at or before `time_ms`."""
    return time_ms - (time_ms - origin) % length


def ceil_ms(time_ms: int, length: int, origin: int = 0) -> int:
    """The first multiple of `length`, counted from `origin`, at or after `time_ms`."""
    return floor_ms(time_ms + length - 1, length, origin)


def origin_ms(interval: str) -> int:
    """The time from which intervals are counted: 1970, for weeks the first Monday of 1970."""
    return FIRST_MONDAY_MS if interval.endswith("w") else 0


def base_of(interval: str, stored: set[str]) -> str | None:
    """The stored interval to read: `interval` itself, or the longest one up to a day that divides
    it; None if neither is stored. Those longer than a day are left out: they do not start at
    multiples of their length."""
    if interval in stored:
        return interval
    length = interval_ms(interval)
    lengths = {ms: name for name in stored if (ms := interval_ms(name)) is not None and ms <= DAY_MS}
    fitting = [ms for ms in lengths if length is not None and length % ms == 0]
    return lengths[max(fitting)] if fitting else None
