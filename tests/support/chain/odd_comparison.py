"""What Cassandra must contain of the three odd tables, from PostgreSQL alone. The rules are written
here by hand: times are milliseconds, rounded down; a numeric that may be NaN is a double. Uses
nothing of pipeline/."""

import math
import struct
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from cassandra.cluster import Session
from cassandra.util import Date, Duration, Time
from psycopg2.extensions import connection as Connection

Row = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The key of each table in Cassandra.
KEYS = {"odd_values": ("id",), "odd_places": ("shelf", "slot"), "odd_totals": ("id",)}
# Columns that psycopg2 would return in another form than Cassandra's driver.
SELECTED = {
    "ids": "ids::text[]",
    "details": "details::text",
    "span": "span::text",
    "price": "price::numeric",
    "measure": "measure::float8",
    "pause": "ARRAY[extract(year FROM pause) * 12 + extract(month FROM pause), extract(day FROM pause), "
    "(extract(hour FROM pause) * 3600 + extract(minute FROM pause) * 60 + extract(second FROM pause)) * 1000000000]",
}


def expected(postgres: Connection, table: str) -> dict[tuple, Row]:
    with postgres.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        names = [column.name for column in cursor.description]
        values = [
            f"CASE WHEN {name} IS NOT NULL THEN {SELECTED[name]} END" if name in SELECTED else name for name in names
        ]
        cursor.execute(f"SELECT {', '.join(values)} FROM {table}")
        return by_key(table, (dict(zip(names, values)) for values in cursor.fetchall()))


def stored(cassandra: Session, table: str) -> dict[tuple, Row]:
    rows = cassandra.execute(f"SELECT * FROM {table}")
    return by_key(table, ({name: whole_ms(value) for name, value in row.items()} for row in rows))


def whole_ms(value: Any) -> Any:
    """Times as milliseconds since 1970. The driver computes them with floating-point seconds, so
    that they are some microseconds beside the millisecond in distant years."""
    if isinstance(value, list):
        return [whole_ms(element) for element in value]
    if isinstance(value, datetime):
        return plain_time(value + timedelta(microseconds=500))
    return value


def by_key(table: str, rows: Iterable[Row]) -> dict[tuple, Row]:
    plain = ({name: plain_value(name, value) for name, value in row.items()} for row in rows)
    return {tuple(row[name] for name in KEYS[table]): row for row in plain}


def plain_value(name: str, value: Any) -> Any:
    """A value of either driver in one form."""
    if value is not None and name == "pause":
        parts = (value.months, value.days, value.nanoseconds) if isinstance(value, Duration) else value
        return [int(part) for part in parts]
    if isinstance(value, list):
        return [plain_value(name, element) for element in value]
    if isinstance(value, float):
        return plain_float(struct.unpack(">f", struct.pack(">f", value))[0] if name == "half" else value)
    if isinstance(value, memoryview | bytes):
        return bytes(value)
    if isinstance(value, Decimal):
        return value
    return plain_time(value) if isinstance(value, datetime | date | time | Date | Time) else plain_text(value)


def plain_float(value: float) -> float | str:
    """NaN equals nothing, and -0.0 equals 0.0: text tells all of them apart."""
    return repr(value) if math.isnan(value) or value == 0 else value


def plain_time(value: datetime | date | time | Date | Time) -> int | str:
    """Milliseconds since 1970, the date as text, nanoseconds since midnight."""
    if isinstance(value, datetime):
        return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, time):
        since_midnight = timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
        return since_midnight // timedelta(microseconds=1) * 1000
    return value.nanosecond_time if isinstance(value, Time) else str(value)


def plain_text(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
