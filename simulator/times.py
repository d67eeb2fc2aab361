"""The clock, and times that may be in ms or µs. A copy of its own: a test double shares no code
with the code under test."""

import time

# 10^14 ms is the year 5138 and 10^14 µs is 1973. Archive files contain µs since 2025, and callers
# may send either.
_FIRST_US = 10**14


def clock_ms() -> int:
    """ms since 1970 by this machine's clock."""
    return time.time_ns() // 1_000_000


def in_ms(value: int) -> int:
    """A time in ms, whether `value` is in ms or µs."""
    return value // 1000 if value >= _FIRST_US else value
