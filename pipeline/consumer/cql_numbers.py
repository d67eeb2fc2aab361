"""Numbers of Debezium's JSON as bytes of CQL's number types. NUMERIC arrives as text, the others as
numbers. Knows no table."""

import re
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pipeline.consumer.bad_value import BadValue, expected

Encoder = Callable[[Any], bytes]

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
# Python's own limit when it makes text of a number: cassandra-driver could not read more digits.
MAX_DIGITS = 4300

double_bytes = struct.Struct(">d").pack
float_bytes = struct.Struct(">f").pack
bigint = struct.Struct(">q").pack
int_bytes = struct.Struct(">i").pack


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
