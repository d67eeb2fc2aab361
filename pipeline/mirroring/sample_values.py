"""A column's value as PostgreSQL has it, in the form in which Cassandra's driver returns the
mirrored one. Written without the consumer's encoders, so that a comparison tests them. Knows no
connection."""

import json
import re
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pipeline.mirroring.source_table import PgType, quoted
from pipeline.times import EPOCH, cassandra_datetime_to_ms

MICROSECONDS = "(extract(epoch FROM {value}) * 1000000)::bigint"
# How a value is selected, by base type; the others as PostgreSQL writes them.
SELECTED = {
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "bool", "bytea"), "{value}"),
    **dict.fromkeys(("numeric", "uuid"), "{value}::text"),
    **dict.fromkeys(("timestamp", "timestamptz", "time"), MICROSECONDS),
    "oid": "{value}::bigint",
    "money": "{value}::numeric::text",
    "date": "to_char({value}, 'YYYY-MM-DD')",
    "hstore": "hstore_to_json({value})::text",
    "interval": "CASE WHEN {value} IS NOT NULL THEN ARRAY["
    "extract(year FROM {value}) * 12 + extract(month FROM {value}), extract(day FROM {value}),"
    " extract(hour FROM {value}) * 3600 + extract(minute FROM {value}) * 60 + extract(second FROM {value})] END",
}
AS_WRITTEN = "CASE WHEN {value} IS NOT NULL THEN format('%s', {value}) END"
# Digits of a second, unless the type says another number; Debezium sends them all, zeros too.
MAX_DIGITS = 6
ISO_DURATION = re.compile(r"P(-?\d+)Y(-?\d+)M(-?\d+)DT(-?\d+)H(-?\d+)M(-?[\d.]+)S")


def selected(column: str, kind: PgType) -> str:
    """The SQL expression of a column's value."""
    value = quoted(column)
    if kind.is_array:
        element = SELECTED.get(kind.base, AS_WRITTEN).format(value="e.v")
        elements = f"ARRAY(SELECT {element} FROM unnest({value}) WITH ORDINALITY AS e (v, n) ORDER BY e.n)"
        return f"CASE WHEN {value} IS NOT NULL THEN {elements} END"
    return SELECTED.get(kind.base, AS_WRITTEN).format(value=value)


def expected(kind: PgType, cql_type: str, value: Any) -> Any:
    """What Cassandra's driver should return for the `value` of `selected`; times of a timestamp as
    ms since 1970."""
    if value is None:
        return None
    if kind.is_array:
        inner = cql_type.replace("frozen<", "").removeprefix("list<").rstrip(">")
        one = PgType(kind.text, kind.base, modifier=kind.modifier)
        return [expected(one, inner, element) for element in value]
    return EXPECTED.get(cql_type, lambda _, given: given)(kind, value)


def expected_text(kind: PgType, value: Any) -> Any:
    if kind.base == "interval":
        return value  # months, days and seconds; are_equal reads Debezium's text
    if kind.base == "timestamptz":
        digits = MAX_DIGITS if kind.modifier is None else kind.modifier
        moment = (EPOCH + timedelta(microseconds=value)).replace(tzinfo=None).isoformat(timespec="microseconds")
        return moment[: len(moment) - MAX_DIGITS + digits].rstrip(".") + "Z"
    return value if isinstance(value, str) else str(value)  # a column made by hand


def expected_blob(kind: PgType, value: Any) -> bytes:
    """bit(n) arrives with the lowest bits first."""
    if kind.base != "bit":
        return bytes(value)
    return int(value, 2).to_bytes((len(value) + 7) // 8, "little")


EXPECTED: dict[str, Callable[[PgType, Any], Any]] = {
    "decimal": lambda _, value: Decimal(value),
    "double": lambda _, value: float(value),
    "float": lambda _, value: struct.unpack(">f", struct.pack(">f", float(value)))[0],
    "boolean": lambda _, value: value in (True, "1"),
    "uuid": lambda _, value: UUID(value),
    "blob": expected_blob,
    "text": expected_text,
    "timestamp": lambda _, value: value // 1000,
    "time": lambda _, value: value * 1000,
}


def returned(value: Any) -> Any:
    """The driver's value in the form of `expected`."""
    if isinstance(value, datetime):
        return cassandra_datetime_to_ms(value)
    if hasattr(value, "nanosecond_time"):
        return value.nanosecond_time
    if hasattr(value, "days_from_epoch"):
        return str(value)
    if isinstance(value, list | tuple):
        return [returned(element) for element in value]
    return value


def are_equal(kind: PgType, wanted: Any, found: Any) -> bool:
    """Whether Cassandra has PostgreSQL's value. NaN equals NaN; an interval equals its text."""
    if wanted is None or found is None:
        return wanted is found or (wanted == [] and found is None)  # a list that is not frozen
    if kind.base == "interval" and isinstance(found, str):
        return duration_of(found) == wanted
    if isinstance(wanted, list) and isinstance(found, list):
        one = PgType(kind.text, kind.base)
        return len(wanted) == len(found) and all(are_equal(one, *pair) for pair in zip(wanted, found))
    if kind.base == "hstore":
        return bool(json.loads(wanted) == json.loads(found))
    return bool(wanted == found or (wanted != wanted and found != found))


def duration_of(text: str) -> list[Decimal]:
    """Months, days and seconds of Debezium's text of an interval. Raises ValueError."""
    match = ISO_DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    years, months, days, hours, minutes, seconds = map(Decimal, match.groups())
    return [years * 12 + months, days, hours * 3600 + minutes * 60 + seconds]
