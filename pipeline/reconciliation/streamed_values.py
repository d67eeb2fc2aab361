"""A value of PostgreSQL in the form in which Debezium sends it as JSON, so that a row that is read
here goes through the same transformation and the same encoders as its change did. Knows SQL and the
settings of debezium/connector.json; knows no connection. docs/types.md has the forms."""

from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from pipeline.mirroring.source_table import PgType, quoted

AS_WRITTEN = "CASE WHEN {value} IS NOT NULL THEN format('%s', {value}) END"
# Columns of these types are not in the events at all.
ABSENT = frozenset({"composite", "multirange", "pg_lsn", "xid8", "jsonpath", "tsquery", "regclass"})
# Their form is not known exactly, or says less than the value: such columns are not compared.
UNCERTAIN = frozenset({"timetz", "varbit", "line", "lseg", "box", "path", "polygon", "circle", "geometry", "geography"})
ABSENT_ELEMENTS = frozenset({"interval", "money", "hstore", "composite", "xml", "time", "bit"})
MAX_DIGITS = 6  # of a second
SELECTED: dict[str, str] = {
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "bool", "bytea"), "{value}"),
    **dict.fromkeys(("numeric", "uuid", "bit"), "{value}::text"),
    "oid": "{value}::bigint",
    "money": "{value}::numeric::text",
    "name": "NULL::text",  # Debezium sends null for it
    "date": "CASE {value} WHEN 'infinity' THEN 2146033979 WHEN '-infinity' THEN -2147472691"
    " ELSE {value} - '1970-01-01'::date END",
    "time": "(extract(epoch FROM {value}) * 1000000)::bigint",
    "timestamp": "CASE WHEN isfinite({value}) THEN (extract(epoch FROM {value}) * 1000000)::bigint"
    " WHEN {value} > '1970-01-01' THEN 9223372036854775807"
    " WHEN {value} IS NOT NULL THEN -9223372036854775808 END",
    "hstore": "hstore_to_json({value})::text",
    "point": "CASE WHEN {value} IS NOT NULL THEN ARRAY[({value})[0], ({value})[1]] END",
    "interval": "CASE WHEN {value} IS NOT NULL THEN ARRAY[extract(year FROM {value}), extract(month FROM {value}),"
    " extract(day FROM {value}), extract(hour FROM {value}), extract(minute FROM {value}),"
    " extract(second FROM {value})]::numeric[] END",
}
# Years of four digits as ISO 8601; any other is one that no timestamp of Cassandra's can hold.
ZONED = (
    "CASE WHEN {value} >= '0001-01-01Z' AND {value} < '10000-01-01Z'"
    " THEN {text} WHEN isfinite({value}) THEN '+' ELSE {value}::text END"
)
Convert = Callable[[Any], Any]


def is_streamed(kind: PgType) -> bool:
    """Whether Debezium sends the column, in a form that is known."""
    if kind.is_array:
        return kind.base not in ABSENT | UNCERTAIN | ABSENT_ELEMENTS
    return kind.base not in ABSENT | UNCERTAIN


def selected(column: str, kind: PgType) -> str:
    """The SQL expression of a column's value."""
    value = quoted(column)
    if not kind.is_array:
        return expression(value, kind)
    elements = f"ARRAY(SELECT {expression('e.v', kind)} FROM unnest({value}) WITH ORDINALITY AS e (v, n) ORDER BY e.n)"
    return f"CASE WHEN {value} IS NOT NULL THEN {elements} END"


def expression(value: str, kind: PgType) -> str:
    if kind.base == "timestamptz":
        digits = MAX_DIGITS if kind.modifier is None else kind.modifier
        text = f"left(to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), {digits - MAX_DIGITS or 26})"
        return ZONED.format(value=value, text=f"rtrim({text}, '.') || 'Z'")
    return SELECTED.get(kind.base, AS_WRITTEN).format(value=value)


def converter(kind: PgType) -> Convert | None:
    """What turns the selected value, if it is not null, into Debezium's; None if it is that
    already."""
    one = bits(kind.modifier) if kind.base == "bit" else CONVERTERS.get(kind.base)
    if one is None or not kind.is_array:
        return one
    convert = one
    return lambda items: [None if item is None else convert(item) for item in items]


def bits(length: int | None) -> Convert:
    if length == 1:
        return lambda text: text == "1"
    return lambda text: base64(int(text, 2).to_bytes((len(text) + 7) // 8, "little"))


def base64(value: Any) -> str:
    return b64encode(bytes(value)).decode()


NOT_FINITE = {"NaN": "NAN", "Infinity": "POSITIVE_INFINITY", "-Infinity": "NEGATIVE_INFINITY"}


def interval(parts: list[Decimal]) -> str:
    """`P1Y2M3DT4H5M6.789S`"""
    *whole, seconds = parts
    years, months, days, hours, minutes = map(int, whole)
    return f"P{years}Y{months}M{days}DT{hours}H{minutes}M{format(seconds.normalize(), 'f')}S"


CONVERTERS: dict[str, Convert] = {
    "numeric": lambda text: NOT_FINITE.get(text, text),
    "bytea": base64,
    "hstore": lambda text: orjson.dumps(orjson.loads(text)).decode(),
    "point": lambda pair: {"x": pair[0], "y": pair[1]},
    "interval": interval,
}
