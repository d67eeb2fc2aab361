"""One value of Debezium's JSON as the bytes of one CQL type. The JSON value and the CQL type alone
decide what is stored: nothing is guessed from the size or the look of a value. A value that cannot
be stored exactly as its reader expects it raises BadValue, which says why and what to do instead.
Knows no table, and no collection."""

import re
import struct
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import date as calendar_date
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from cassandra.cqltypes import DurationType
from cassandra.util import Duration

PROTOCOL_VERSION = 5
Encoder = Callable[[Any], bytes]

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
# Debezium's words for NUMERIC and floating-point values that JSON has no number for.
NOT_FINITE = {
    "NAN": float("nan"),
    "NaN": float("nan"),
    "POSITIVE_INFINITY": float("inf"),
    "Infinity": float("inf"),
    "NEGATIVE_INFINITY": float("-inf"),
    "-Infinity": float("-inf"),
}
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
WHOLE_NUMBER = re.compile(r"[-+]?\d+", re.ASCII)
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# PostgreSQL's interval as Debezium writes it: P1Y2M3DT4H5M6.789S, each part with a sign of its own.
INTERVAL = re.compile(
    r"P(?:([-+]?\d+)Y)?(?:([-+]?\d+)M)?(?:([-+]?\d+)D)?"
    r"(?:T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?)(\d+)(?:\.(\d{1,9}))?S)?)?",
    re.ASCII,
)
# Python's own limit when it makes text of a number: cassandra-driver could not read more digits.
MAX_DIGITS = 4300
MAX_QUOTED_CHARACTERS = 60

double_bytes = struct.Struct(">d").pack
float_bytes = struct.Struct(">f").pack
bigint = struct.Struct(">q").pack
int_bytes = struct.Struct(">i").pack
date_bytes = struct.Struct(">I").pack


class BadValue(ValueError):
    """A value that its column cannot hold. The message says why, and what to do instead."""


def expected(what: str, value: Any) -> BadValue:
    """For a JSON value of the wrong kind."""
    names = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "an array"}
    got = "an object" if isinstance(value, dict) else names.get(type(value), type(value).__name__)
    return BadValue(f"expected {what}, got {got}")


def quoted(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MAX_QUOTED_CHARACTERS else text[:MAX_QUOTED_CHARACTERS] + "…"


def text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise expected("text", value)
    return value.encode()


def ascii_text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise expected("text", value)
    if not value.isascii():
        raise BadValue("not ASCII: use a text column")
    return value.encode()


def boolean(value: Any) -> bytes:
    if value is True:
        return b"\x01"
    if value is False:
        return b"\x00"
    raise expected("true or false", value)


def real_number(value: Any) -> float:
    """The nearest floating-point number of a NUMERIC (text) or a number."""
    if isinstance(value, str):
        special = NOT_FINITE.get(value)
        if special is not None:
            return special
        if not NUMBER.fullmatch(value):
            raise BadValue("not a number: use a text column")
        value = Decimal(value)
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise expected("a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")) and Decimal(value).is_finite():
        raise BadValue("too large for a double: use a decimal column")
    if isinstance(value, int) and int(number) != value:
        raise BadValue("a double cannot hold this whole number exactly: use a bigint column")
    return number


def double(value: Any) -> bytes:
    return double_bytes(real_number(value))


def float4(value: Any) -> bytes:
    try:
        return float_bytes(real_number(value))
    except OverflowError:
        raise BadValue("too large for a float: use a double column") from None


def exact_double(value: Any) -> bytes:
    """For key columns: two keys that differ in PostgreSQL must not become one."""
    number = real_number(value)
    if isinstance(value, str) and value not in NOT_FINITE and Decimal(repr(number)) != Decimal(value):
        raise BadValue("a double cannot hold this key exactly, two rows could become one: use a decimal column")
    return double_bytes(number)


def exact_float4(value: Any) -> bytes:
    encoded = float4(value)
    number = struct.unpack(">f", encoded)[0]
    if value not in NOT_FINITE:
        wanted = Decimal(str(value))
        if all(Decimal(f"{number:.{digits}g}") != wanted for digits in range(6, 10)):
            raise BadValue("a float cannot hold this key exactly, two rows could become one: use a decimal column")
    return encoded


def whole_number(value: Any) -> int:
    if isinstance(value, str):
        if not WHOLE_NUMBER.fullmatch(value):
            raise BadValue("not a whole number: use a decimal, double or text column")
        if len(value) > MAX_DIGITS:
            raise BadValue(f"more than {MAX_DIGITS} digits: use a text column")
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise expected("a whole number", value)
    return value


def integer(name: str, size_bytes: int, larger: str) -> Encoder:
    limit = 1 << (8 * size_bytes - 1)

    def encode(value: Any) -> bytes:
        number = whole_number(value)
        if not -limit <= number < limit:
            raise BadValue(f"outside the range of {name} ({-limit} to {limit - 1}): use a column of type {larger}")
        return number.to_bytes(size_bytes, "big", signed=True)

    return encode


def varint(value: Any) -> bytes:
    """As short as possible: a longer form of the same number would be another partition key."""
    number = whole_number(value)
    magnitude = number if number >= 0 else ~number
    return number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def decimal(value: Any) -> bytes:
    """Scale and unscaled value, with the digits after the point that PostgreSQL sent."""
    if isinstance(value, str):
        if value in NOT_FINITE:
            raise BadValue("a decimal holds neither NaN nor Infinity: use a double, float or text column")
        if not NUMBER.fullmatch(value):
            raise BadValue("not a number: use a text column")
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise expected("a number", value)
    number = Decimal(str(value))
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise BadValue("a decimal holds neither NaN nor Infinity: use a double, float or text column")
    if len(digits) > MAX_DIGITS:
        raise BadValue(f"more than {MAX_DIGITS} digits, which cassandra-driver cannot read: use a text column")
    return int_bytes(-exponent) + varint(int(Decimal((sign, digits, 0))))


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


def blob(value: Any) -> bytes:
    """Debezium sends bytes as base64."""
    if not isinstance(value, str):
        raise expected("base64 text", value)
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise BadValue("not base64, as which Debezium sends bytea and bit(n): use a text column") from None


def uuid(value: Any) -> bytes:
    if not isinstance(value, str):
        raise expected("the text of a UUID", value)
    try:
        return UUID(value).bytes
    except ValueError:
        raise BadValue("not a UUID: use a text column") from None


def timeuuid(value: Any) -> bytes:
    encoded = uuid(value)
    if encoded[6] >> 4 != 1:
        raise BadValue("not a UUID of version 1: use a uuid column")
    return encoded


def inet(value: Any) -> bytes:
    if not isinstance(value, str):
        raise expected("the text of an address", value)
    if "/" in value:
        raise BadValue("a network; CQL's inet holds single addresses only: use a text column")
    try:
        if "%" in value:
            raise ValueError
        return ip_address(value).packed
    except ValueError:
        raise BadValue("not an IP address: use a text column") from None


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


ENCODERS: dict[str, Encoder] = {
    "double": double,
    "float": float4,
    "decimal": decimal,
    "bigint": integer("bigint", 8, "varint or decimal"),
    "int": integer("int", 4, "bigint"),
    "smallint": integer("smallint", 2, "int"),
    "tinyint": integer("tinyint", 1, "smallint"),
    "varint": varint,
    "text": text,
    "varchar": text,
    "ascii": ascii_text,
    "boolean": boolean,
    "timestamp": timestamp,
    "date": date,
    "time": time_of_day,
    "duration": duration,
    "blob": blob,
    "uuid": uuid,
    "timeuuid": timeuuid,
    "inet": inet,
}
# In a key no two values may become one.
EXACT_ENCODERS: dict[str, Encoder] = {
    **ENCODERS,
    "timestamp": exact_timestamp,
    "double": exact_double,
    "float": exact_float4,
}
# What an encoder can raise: BadValue by itself, the others from Python's own conversions.
BAD_VALUE = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, struct.error, InvalidOperation)
