"""One value of Debezium's JSON as the bytes of one CQL type. The JSON value and the CQL type alone
decide what is stored: nothing is guessed from the size or the look of a value. A value that cannot
be stored exactly as its reader expects it raises BadValue, which says why and what to do instead.
Knows no table, and no collection."""

from base64 import b64decode
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from pipeline.consumer import cql_numbers, cql_times
from pipeline.consumer.bad_value import BadValue, expected
from pipeline.consumer.cql_numbers import Encoder, integer


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


ENCODERS: dict[str, Encoder] = {
    "double": cql_numbers.double,
    "float": cql_numbers.float4,
    "decimal": cql_numbers.decimal,
    "bigint": integer("bigint", 8, "varint or decimal"),
    "int": integer("int", 4, "bigint"),
    "smallint": integer("smallint", 2, "int"),
    "tinyint": integer("tinyint", 1, "smallint"),
    "varint": cql_numbers.varint,
    "text": text,
    "varchar": text,
    "ascii": ascii_text,
    "boolean": boolean,
    "timestamp": cql_times.timestamp,
    "date": cql_times.date,
    "time": cql_times.time_of_day,
    "duration": cql_times.duration,
    "blob": blob,
    "uuid": uuid,
    "timeuuid": timeuuid,
    "inet": inet,
}
# In a key no two values may become one.
EXACT_ENCODERS: dict[str, Encoder] = {
    **ENCODERS,
    "timestamp": cql_times.exact_timestamp,
    "double": cql_numbers.exact_double,
    "float": cql_numbers.exact_float4,
}
