"""Conversions between the time units in play. The only file that converts: ms (exchange, Cassandra
timestamps), µs (Debezium `ts_us`, Cassandra write timestamps), ISO 8601 (Debezium's TIMESTAMPTZ).
Knows nothing else."""

import time
from datetime import UTC, datetime, timedelta

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Exchange archives carry µs since 2025 and ms before (facts: binance.md). 10^14 ms is the year
# 5138, 10^14 µs is 1973.
FIRST_US = 10**14


def now_ms() -> int:
    """Milliseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000_000


def exchange_ms(value: int) -> int:
    """A time of the exchange in ms, whether it was sent in ms or µs (told by magnitude)."""
    return value // 1000 if value >= FIRST_US else value


def ms_to_datetime(ms: int) -> datetime:
    """An aware UTC datetime; psycopg2 stores it as TIMESTAMPTZ."""
    return EPOCH + timedelta(milliseconds=ms)


def datetime_to_ms(moment: datetime) -> int:
    """ms since 1970. A naive datetime is taken as UTC, which is what cassandra-driver returns."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)


def iso_to_us(text: str) -> int:
    """µs since 1970 of an ISO 8601 time with offset, e.g. `2026-11-23T19:25:47.123456Z`. Raises
    ValueError."""
    moment = datetime.fromisoformat(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def iso_to_ms(text: str) -> int:
    """ms since 1970 of an ISO 8601 time. Raises ValueError."""
    return iso_to_us(text) // 1000


def hour_of(ms: int) -> int:
    """The start of the UTC hour that holds `ms`, in ms: the bucket in Cassandra's partition
    keys."""
    return ms - ms % HOUR_MS


def duration_seconds(text: str) -> float:
    """Seconds of `90`, `45s`, `30m`, `12h` or `7d`. Raises ValueError."""
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:].lower())
    return float(text) if factor is None else float(text[:-1]) * factor
