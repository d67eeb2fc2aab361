"""Conversions between the time units in use: ms (exchange, Cassandra timestamps), µs (Debezium
`ts_us`, Cassandra write timestamps), seconds (settings, metrics, libraries), ISO 8601 (Debezium's
TIMESTAMPTZ). A conversion that is missing belongs here. Knows nothing else."""

import time
from datetime import UTC, datetime, timedelta

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# The exchange's archives contain µs since 2025 and ms before. 10^14 ms is the year 5138, 10^14 µs
# is 1973.
FIRST_US = 10**14


def now_ms() -> int:
    """Milliseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000_000


def now_us() -> int:
    """Microseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1000


def exchange_ms(value: int) -> int:
    """A time of the exchange in ms, whether it was sent in ms or µs (decided by magnitude)."""
    return value // 1000 if value >= FIRST_US else value


def seconds_to_ms(seconds: float) -> int:
    """Whole milliseconds, rounded."""
    return round(seconds * 1000)


def ms_to_us(ms: int) -> int:
    return ms * 1000


def ms_to_seconds(ms: float) -> float:
    return ms / 1000


def us_to_seconds(us: float) -> float:
    return us / 1_000_000


def ms_to_datetime(ms: int) -> datetime:
    """An aware UTC datetime; psycopg2 stores it as TIMESTAMPTZ."""
    return EPOCH + timedelta(milliseconds=ms)


def ms_to_text(ms: int) -> str:
    """`2026-11-23 19:25:47`, in UTC."""
    return f"{ms_to_datetime(ms):%Y-%m-%d %H:%M:%S}"


def ms_to_iso(ms: int) -> str:
    """`2026-11-23T19:25:47.123000Z`: always six digits, so that texts sort like times, as Debezium
    sends TIMESTAMPTZ."""
    moment = ms_to_datetime(ms).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}Z"


def datetime_to_ms(moment: datetime) -> int:
    """ms since 1970, rounded down. A naive datetime is taken as UTC."""
    return (_aware(moment) - EPOCH) // timedelta(milliseconds=1)


def cassandra_datetime_to_ms(moment: datetime) -> int:
    """ms since 1970 of what cassandra-driver returns for a timestamp. The driver computes it with
    floating-point seconds: in distant years it is some µs beside the whole millisecond."""
    return datetime_to_ms(moment + timedelta(microseconds=500))


def iso_to_us(text: str) -> int:
    """µs since 1970 of an ISO 8601 time, e.g. `2026-11-23T19:25:47.123456Z`; without an offset it
    is taken as UTC. Raises ValueError."""
    return (_aware(datetime.fromisoformat(text)) - EPOCH) // MICROSECOND


def iso_to_ms(text: str) -> int:
    """ms since 1970 of an ISO 8601 time. Raises ValueError."""
    return iso_to_us(text) // 1000


def hour_of(ms: int) -> int:
    """The start, in ms, of the UTC hour that contains `ms`: part of Cassandra's partition keys."""
    return ms - ms % HOUR_MS


def duration_seconds(text: str) -> float:
    """Seconds of `90`, `45s`, `30m`, `12h` or `7d`. Raises ValueError."""
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:].lower())
    return float(text) if factor is None else float(text[:-1]) * factor


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
