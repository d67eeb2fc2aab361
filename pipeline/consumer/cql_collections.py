"""Collections, tuples, user-defined types and vectors as bytes of Cassandra's native protocol, made
of their elements' encoders. PostgreSQL's arrays arrive as arrays; json, jsonb and hstore as text,
which is read as JSON. Knows no table."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, NoReturn

from cassandra.cqltypes import ListType, MapType, SetType, TupleType, UserType, VectorType
from cassandra.marshal import uvint_pack

from pipeline.consumer.bad_value import BAD_VALUE, BadValue, expected, quoted
from pipeline.consumer.cql_numbers import Encoder, int_bytes

# Values in, bytes out; None stays None.
EncodeColumn = Callable[[Sequence[Any]], list[Any]]

NULL = int_bytes(-1)
# What Java prints for an array: Debezium 3.7 sends it for the inner arrays of a text[][].
GARBLED = re.compile(r"\[+L?[\w.$;]*@[0-9a-f]+", re.ASCII)
# Debezium sends them with every point, beside x and y.
POINT_EXTRAS = frozenset({"wkb", "srid"})


def is_collection(driver_type: Any) -> bool:
    return issubclass(driver_type, ListType | SetType | MapType | TupleType | VectorType)


def subtypes(driver_type: Any) -> Sequence[Any]:
    return (driver_type.subtype,) if issubclass(driver_type, VectorType) else driver_type.subtypes


def encoders(
    driver_type: Any, ones: Sequence[Encoder], columns: Sequence[EncodeColumn]
) -> tuple[Encoder, Callable[[Sequence[Any]], list[bytes]] | None]:
    """The encoder of one value and, for tuples, that of many. `ones` and `columns` encode the
    elements: one, or a sequence."""
    if issubclass(driver_type, UserType):
        return user_type(driver_type, ones, columns), None
    if issubclass(driver_type, TupleType):
        encode_all = tuples(len(ones), ones, columns)
        return lambda value: encode_all([value])[0], encode_all
    if issubclass(driver_type, MapType):
        return map_of(ones, columns), None
    if issubclass(driver_type, VectorType):
        return vector(driver_type, ones[0], columns[0]), None
    return list_or_set(driver_type, ones[0], columns[0]), None


def parsed(value: Any, kind: type | tuple[type, ...], what: str) -> Any:
    """The value itself, or what its text holds as JSON. Numbers with a point stay exact."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal, parse_constant=no_json_number)
        except (ValueError, RecursionError):
            raise BadValue(f"expected {what}, got text that is not JSON") from None
    if not isinstance(value, kind):
        raise expected(what, value)
    return value


def no_json_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def list_or_set(driver_type: Any, one: Encoder, column: EncodeColumn) -> Encoder:
    name = "set" if issubclass(driver_type, SetType) else "list"
    is_set = name == "set"
    if driver_type.subtypes[0].typename == "time":
        return refuse_times

    def encode(value: Any) -> bytes:
        items = parsed(value, (list, tuple), f"an array for a {name}")
        encoded = elements(name, items, one, column)
        return counted(dict.fromkeys(encoded) if is_set else encoded)

    return encode


def refuse_times(_value: Any) -> bytes:
    raise BadValue(
        "Debezium loses the microseconds of time[] and turns 24:00 into 00:00: use text[] in PostgreSQL"
        " and list<text> here, or drop this column here"
    )


def map_of(ones: Sequence[Encoder], columns: Sequence[EncodeColumn]) -> Encoder:
    def encode(value: Any) -> bytes:
        pairs = parsed(value, dict, "an object for a map")
        keys = elements("map", list(pairs), ones[0], columns[0])
        values = elements("map", list(pairs.values()), ones[1], columns[1])
        return int_bytes(len(keys)) + b"".join(map(measured, chain.from_iterable(zip(keys, values))))

    return encode


def vector(driver_type: Any, one: Encoder, column: EncodeColumn) -> Encoder:
    size = driver_type.vector_size
    has_fixed_size = driver_type.subtype.serial_size() is not None

    def encode(value: Any) -> bytes:
        items = parsed(value, (list, tuple), "an array for a vector")
        if len(items) != size:
            raise BadValue(f"{len(items)} elements for a vector of {size}")
        encoded = elements("vector", items, one, column)
        return b"".join(encoded if has_fixed_size else (bytes(uvint_pack(len(item))) + item for item in encoded))

    return encode


def tuples(size: int, ones: Sequence[Encoder], columns: Sequence[EncodeColumn]) -> Callable[..., list[bytes]]:
    """Many tuples are encoded position by position, so that each position has its fast path."""

    def encode_all(values: Sequence[Any]) -> list[bytes]:
        rows = [parsed(value, (list, tuple), "an array for a tuple") for value in values]
        if not rows:
            return []
        for row in rows:
            if len(row) != size:
                raise BadValue(f"{len(row)} elements for a tuple of {size}")
        positions = [
            list(map(measured, elements("tuple", position, one, column, nullable=True)))
            for position, one, column in zip(zip(*rows), ones, columns)
        ]
        return list(map(b"".join, zip(*positions)))

    return encode_all


def user_type(driver_type: Any, ones: Sequence[Encoder], columns: Sequence[EncodeColumn]) -> Encoder:
    """From an object, field by field: a field that the object lacks is null, a field that the type
    lacks is refused. Or from an array in the order of the fields."""
    fields, type_name = list(driver_type.fieldnames), driver_type.typename
    as_tuple = tuples(len(fields), ones, columns)

    def encode(value: Any) -> bytes:
        found = parsed(value, (dict, list, tuple), f"an object for the type {type_name}")
        if isinstance(found, dict):
            unknown = found.keys() - fields
            if unknown and not (unknown <= POINT_EXTRAS and {"x", "y"} <= found.keys()):
                name = min(unknown)
                same = [field for field in fields if field.lower() == name.lower()]
                hint = f" (it has {same[0]}: CQL makes unquoted names lower case)" if same else ""
                raise BadValue(f'the type {type_name} has no field {name}{hint}: ALTER TYPE {type_name} ADD "{name}" …')
            found = [found.get(field) for field in fields]
        return as_tuple([found])[0]

    return encode


def elements(name: str, items: Sequence[Any], one: Encoder, column: EncodeColumn, nullable: bool = False) -> list[Any]:
    """The elements' bytes. Raises BadValue that quotes the element."""
    if not nullable and None in items:
        raise BadValue(
            f"a {name} cannot hold null: the array contains NULL, or has two dimensions, which Debezium does not"
            " send; use jsonb in PostgreSQL and text here"
        )
    for item in items:
        if item.__class__ is str and item[:1] == "[" and GARBLED.fullmatch(item):
            raise BadValue(
                f"{item} is what Debezium sends for an array of two dimensions; use jsonb in PostgreSQL and text here"
            )
    try:
        return column(items)
    except BAD_VALUE:
        for item in items:
            try:
                if item is not None:
                    one(item)
            except BAD_VALUE as error:
                raise BadValue(f"element {quoted(item)}: {error}") from None
        raise


def measured(item: bytes | None) -> bytes:
    return NULL if item is None else int_bytes(len(item)) + item


def counted(items: Iterable[Any]) -> bytes:
    encoded = list(map(measured, items))
    return int_bytes(len(encoded)) + b"".join(encoded)
