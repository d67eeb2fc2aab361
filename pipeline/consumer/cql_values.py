"""Values of Debezium's JSON as bytes of Cassandra's native protocol, one function per CQL type; a
column at a time. Converting and serialising in one step, chosen once per column, is what makes the
write path fast (DESIGN 2.3). Knows no table."""

import struct
from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from datetime import date as calendar_date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from cassandra.query import UNSET_VALUE

from pipeline.times import FIRST_US, exchange_ms, iso_to_ms

PROTOCOL_VERSION = 5
FIRST_DAY = calendar_date(1970, 1, 1)
Encoder = Callable[[Any], bytes]
# A column's values as bytes, None (null) or UNSET_VALUE (left as it is in the table).
ColumnEncoder = Callable[[Sequence[Any]], list[Any]]
# What an encoder raises when a value cannot be stored in its column.
BAD_VALUE = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, struct.error, InvalidOperation)

_double = struct.Struct(">d").pack
_float = struct.Struct(">f").pack
bigint = struct.Struct(">q").pack
_int = struct.Struct(">i").pack
_smallint = struct.Struct(">h").pack
_tinyint = struct.Struct(">b").pack
_date = struct.Struct(">I").pack


def text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value.encode()


def boolean(value: Any) -> bytes:
    if value is True:
        return b"\x01"
    if value is False:
        return b"\x00"
    raise TypeError(f"expected true or false, got {value!r}")


def timestamp(value: Any) -> bytes:
    """ISO 8601 text as Debezium sends TIMESTAMPTZ, or a number of ms or µs since 1970 (TIMESTAMP
    without time zone), told apart by magnitude."""
    if isinstance(value, str):
        return bigint(iso_to_ms(value))
    bigint(no_truth(value))  # the number as it came must be one of 64 bits
    return bigint(exchange_ms(value))


def no_truth(value: Any) -> Any:
    """The value, unless it is true or false, which Python takes for 1 and 0."""
    if value is True or value is False:
        raise TypeError(f"expected a number, got {value}")
    return value


def real(pack: Callable[[float], bytes]) -> Encoder:
    # The class is looked at first: text is what comes, and a call less counts here.
    return lambda value: pack(float(value if value.__class__ is str else no_truth(value)))


def integer(pack: Callable[[int], bytes]) -> Encoder:
    return lambda value: pack(int(value) if value.__class__ is str else no_truth(value))


def date(value: Any) -> bytes:
    """Debezium sends days since 1970 (ISO text is understood as well); on the wire they are counted
    from -2^31."""
    days = (calendar_date.fromisoformat(value) - FIRST_DAY).days if isinstance(value, str) else no_truth(value)
    return _date(days + 2**31)


def time_of_day(value: Any) -> bytes:
    """Debezium sends µs since midnight; Cassandra stores ns."""
    return bigint(no_truth(value) * 1000)


def blob(value: Any) -> bytes:
    """Debezium sends bytes as base64."""
    return b64decode(value, validate=True)


ENCODERS: dict[str, Encoder] = {
    "double": real(_double),
    "float": real(_float),
    "bigint": integer(bigint),
    "counter": integer(bigint),
    "int": integer(_int),
    "smallint": integer(_smallint),
    "tinyint": integer(_tinyint),
    "text": text,
    "varchar": text,
    "ascii": text,
    "boolean": boolean,
    "timestamp": timestamp,
    "date": date,
    "time": time_of_day,
    "blob": blob,
}


def timestamps(numbers: Sequence[int]) -> Iterable[bytes]:
    """Numbers that are ms for certain need no look at each of them."""
    plain = min(numbers) > -FIRST_US and max(numbers) < FIRST_US
    return map(bigint if plain else timestamp, numbers)


# Values of one class, which is what a column nearly always holds: the loop over them runs in C. A
# third of the time of a call of ours per value (measured on trades).
ALL_OF_A_CLASS: dict[tuple[str, type], Callable[[Sequence[Any]], Iterable[bytes]]] = {
    ("double", str): lambda values: map(_double, map(float, values)),
    ("double", float): lambda values: map(_double, values),
    ("bigint", int): lambda values: map(bigint, values),
    ("int", int): lambda values: map(_int, values),
    ("text", str): lambda values: map(str.encode, values),
    ("boolean", bool): lambda values: map({True: b"\x01", False: b"\x00"}.__getitem__, values),
    ("timestamp", str): lambda values: map(bigint, map(iso_to_ms, values)),
    ("timestamp", int): timestamps,
}


def column_encoder(driver_type: Any) -> ColumnEncoder:
    """The encoder of a column. It leaves None and UNSET_VALUE as they are and raises BAD_VALUE when
    any value does not fit."""
    one = encoder(driver_type)
    of_class = {kind: many for (name, kind), many in ALL_OF_A_CLASS.items() if name == driver_type.typename}

    def encode(values: Sequence[Any]) -> list[Any]:
        kinds = set(map(type, values))
        many = of_class.get(kinds.pop()) if len(kinds) == 1 else None
        if many:
            return list(many(values))
        return [value if value is None or value is UNSET_VALUE else one(value) for value in values]

    return encode


def encoder(driver_type: Any) -> Encoder:
    """The encoder for a column, from the type in a prepared statement's metadata. Types without one
    of ours (decimal, uuid, collections, …) are serialised by the driver. Encoders raise BAD_VALUE
    on a value that does not fit."""
    ours = ENCODERS.get(driver_type.typename)
    return ours or (lambda value: driver_type.serialize(from_json(driver_type, value), PROTOCOL_VERSION))


def from_json(driver_type: Any, value: Any) -> Any:
    """What the driver wants in place of the text that JSON has for these types."""
    if driver_type.typename == "decimal":
        return Decimal(str(value))
    if driver_type.typename == "varint":
        return int(no_truth(value))
    if driver_type.typename in ("uuid", "timeuuid"):
        return UUID(value)
    return value
