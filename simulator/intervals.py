"""The candle intervals of the exchange and where each candle starts. Knows no prices."""

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

LENGTH_MS = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": WEEK_MS,
}

# 1 January 1970 was a Thursday and weekly candles open on Monday.
FIRST_MONDAY_MS = 4 * DAY_MS


def open_time(time_ms: int, interval: str) -> int:
    """Open time in ms of the candle of `interval` that contains `time_ms`."""
    length_ms = LENGTH_MS[interval]
    offset_ms = FIRST_MONDAY_MS if interval == "1w" else 0
    return time_ms - (time_ms - offset_ms) % length_ms


def open_times(
    interval: str, first_ms: int, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
) -> range:
    """Open times to return: from `start_ms` on, or the newest up to `end_ms`; never before
    `first_ms` or after now."""
    length_ms = LENGTH_MS[interval]
    last = open_time(now_ms if end_ms is None else min(now_ms, end_ms), interval)
    first = open_time(first_ms, interval)
    if start_ms is None:
        first = max(first, last - (limit - 1) * length_ms)
    elif start_ms > first:
        first = open_time(start_ms + length_ms - 1, interval)
    return range(first, last + 1, length_ms)[:limit]
