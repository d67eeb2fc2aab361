"""Times of Debezium's JSON as bytes of CQL's time types. Text says its offset from UTC; numbers are
µs, or days for a date. Knows no table."""

import re
import struct
from datetime import UTC, datetime, timedelta
from datetime import date as calendar_date
from typing import Any

from cassandra.cqltypes import DurationType
from cassandra.util import Duration

from pipeline.consumer.bad_value import BadValue, expected
from pipeline.consumer.cql_numbers import bigint

PROTOCOL_VERSION = 5

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = calendar_date(1970, 1, 1)
MILLISECOND = timedelta(milliseconds=1)
MICROSECOND = timedelta(microseconds=1)
# Cassandra's drivers for Python, and its own toJson, read years 1 to 9999 only: after one row
# outside them, a whole page of the table cannot be read any more.
MIN_DAY = (calendar_date.min - FIRST_DAY).days
MAX_DAY = (calendar_date.max - FIRST_DAY).days
MIN_US = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
MAX_US = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
DAY_US = 86_400_000_000
# What Debezium 3.7 sends for 'infinity' and '-infinity' as numbers.
INFINITE_US = frozenset({2**63 - 1, -(2**63)})
INFINITE_DAYS = frozenset({2_146_033_979, -2_147_472_691})
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# PostgreSQL's interval as Debezium writes it: P1Y2M3DT4H5M6.789S, each part with a sign of its own.
INTERVAL = re.compile(
    r"P(?:([-+]?\d+)Y)?(?:([-+]?\d+)M)?(?:([-+]?\d+)D)?"
    r"(?:T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?)(\d+)(?:\.(\d{1,9}))?S)?)?",
    re.ASCII,
)

date_bytes = struct.Struct(">I").pack


def utc_delta(value: str) -> timedelta:
    """Since 1970. Only text that says its offset from UTC is a point in time."""
    if value.endswith("infinity"):
        raise BadValue("a CQL timestamp cannot be infinite: use a text column, or null in PostgreSQL")
    if value.startswith(("-", "+")):
        raise BadValue("a CQL timestamp can be read from year 0001 to 9999 only: use a text column")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadValue("not an ISO 8601 time: use a text column") from None
    if moment.tzinfo is None:
        raise BadValue("a time without its offset from UTC: use a text column")
    return moment - EPOCH


def timestamp_us(value: Any) -> int:
    """µs since 1970 of TIMESTAMPTZ (ISO 8601 text) or TIMESTAMP (a number of µs)."""
    if isinstance(value, str):
        return utc_delta(value) // MICROSECOND
    if isinstance(value, bool) or not isinstance(value, int):
        raise expected("ISO 8601 text or a number of µs since 1970", value)
    if value in INFINITE_US:
        raise BadValue("a CQL timestamp cannot be infinite: use a bigint column (µs), or null in PostgreSQL")
    if not MIN_US <= value <= MAX_US:
        raise BadValue(
            "µs since 1970; a CQL timestamp can be read from year 0001 to 9999 only: use a bigint column (µs)"
        )
    return value


def timestamp(value: Any) -> bytes:
    """CQL timestamps are ms: microseconds are cut off."""
    return bigint(timestamp_us(value) // 1000)


def exact_timestamp(value: Any) -> bytes:
    """For key columns: two rows within one ms must not become one row."""
    us = timestamp_us(value)
    if us % 1000:
        raise BadValue(
            "a key with microseconds; a CQL timestamp holds ms, so two rows could become one:"
            " use a text column (timestamp with time zone), a bigint column (without), or timestamp(3) in PostgreSQL"
        )
    return bigint(us // 1000)


def date(value: Any) -> bytes:
    """Debezium sends days since 1970 (ISO text is accepted as well); the wire format counts from
    -2^31."""
    if isinstance(value, str):
        if not ISO_DATE.fullmatch(value):
            raise BadValue("not a date such as 2026-01-31: use a text column")
        try:
            return date_bytes((calendar_date.fromisoformat(value) - FIRST_DAY).days + 2**31)
        except ValueError:
            raise BadValue("not a date of the calendar: use a text column") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise expected("a number of days since 1970", value)
    if value in INFINITE_DAYS:
        raise BadValue("a CQL date cannot be infinite: use an int column (days since 1970), or null in PostgreSQL")
    if not MIN_DAY <= value <= MAX_DAY:
        raise BadValue(
            "days since 1970; a CQL date can be read from year 0001 to 9999 only: use an int column (days since 1970)"
        )
    return date_bytes(value + 2**31)


def time_of_day(value: Any) -> bytes:
    """Debezium sends µs since midnight; Cassandra stores ns."""
    if isinstance(value, str):
        raise BadValue("a time with time zone, whose zone Debezium does not send: use a text column")
    if isinstance(value, bool) or not isinstance(value, int):
        raise expected("a number of µs since midnight", value)
    if value == DAY_US:
        raise BadValue("24:00:00; a CQL time ends before it: use a bigint column (µs since midnight)")
    if not 0 <= value < DAY_US:
        raise BadValue("not a number of µs since midnight: use a bigint column")
    return bigint(value * 1000)


def duration(value: Any) -> bytes:
    """Months, days and ns, which CQL wants to be of one sign."""
    if not isinstance(value, str):
        raise expected("the text of an interval", value)
    found = INTERVAL.fullmatch(value)
    if found is None or value.endswith(("P", "T")):
        raise BadValue("not an interval such as P1Y2M3DT4H5M6.789S: use a text column")
    years, months, days, hours, minutes = (int(part or 0) for part in found.group(1, 2, 3, 4, 5))
    second_ns = int(found[7] or 0) * 10**9 + int((found[8] or "").ljust(9, "0"))
    ns = (hours * 3600 + minutes * 60) * 10**9 + (-second_ns if found[6] == "-" else second_ns)
    parts = (years * 12 + months, days, ns)
    if min(parts) < 0 < max(parts):
        raise BadValue("parts of different signs, which a CQL duration cannot hold: use a text column")
    if max(map(abs, parts[:2])) >= 2**31 or abs(ns) >= 2**63:
        raise BadValue("too long for a CQL duration: use a text column")
    return DurationType.serialize(Duration(*parts), PROTOCOL_VERSION)
