"""Candle intervals as text and as milliseconds, and which stored interval a longer one can be
merged from. Knows no candle."""

import re

from pipeline.times import DAY_MS, HOUR_MS

# Those of the exchange that may be stored. Not 1s: a candle partition (symbol, interval) would grow
# to millions of rows.
INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")

MINUTE_MS = 60_000
WEEK_MS = 7 * DAY_MS
UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": WEEK_MS}
INTERVAL = "[1-9][0-9]{0,3}[mhdw]|1M"
MONTH = "1M"
LONGEST_MONTH_MS = 31 * DAY_MS
# Weeks begin on Monday as the exchange's do: 1970-01-05.
FIRST_MONDAY_MS = 4 * DAY_MS
# The steps that a time axis is divided into for people.
LADDER = (
    *(n * MINUTE_MS for n in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(n * HOUR_MS for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * DAY_MS for n in (1, 2, 3, 5, 7, 14, 28)),
)


def interval_ms(interval: str) -> int | None:
    """Milliseconds of `5m`, `2h`, `3d`, `1w`; None for a month, which has no fixed length. Raises
    ValueError."""
    if interval == MONTH:
        return None
    if not re.fullmatch("[1-9][0-9]*[mhdw]", interval):
        raise ValueError(interval)
    return int(interval[:-1]) * UNITS[interval[-1]]


def max_interval_ms(interval: str) -> int:
    """The same; of a month, the length of the longest. Raises ValueError."""
    return interval_ms(interval) or LONGEST_MONTH_MS


def interval_name(length_ms: int) -> str:
    """`120000` → `2m`, in the largest unit that divides it; weeks are days here, as their beginning
    differs."""
    unit = next(unit for unit in "dhm" if length_ms % UNITS[unit] == 0)
    return f"{length_ms // UNITS[unit]}{unit}"


def floor_ms(time_ms: int, length: int, origin: int = 0) -> int:
    """The multiple of `length`, counted from `origin`, at or before a moment."""
    return time_ms - (time_ms - origin) % length


def ceil_ms(time_ms: int, length: int, origin: int = 0) -> int:
    """The same at or after it."""
    return floor_ms(time_ms + length - 1, length, origin)


def origin_ms(interval: str) -> int:
    """Where counting the intervals begins: 1970, for weeks its first Monday."""
    return FIRST_MONDAY_MS if interval.endswith("w") else 0


def base_of(interval: str, stored: set[str]) -> str | None:
    """The stored interval to read: the same, or the longest up to a day that divides it; None when
    there is none. Longer ones are left out: they do not begin at multiples of their length."""
    if interval in stored:
        return interval
    length = interval_ms(interval)
    lengths = {ms: name for name in stored if (ms := interval_ms(name)) is not None and ms <= DAY_MS}
    fitting = [ms for ms in lengths if length is not None and length % ms == 0]
    return lengths[max(fitting)] if fitting else None
