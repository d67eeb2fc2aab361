"""PostgreSQL type → CQL type, or the reason why there is none. Only types whose JSON value and CQL
type decide the value alone; docs/types.md has the values. Knows no table."""

from pipeline.mirroring.refusal import Unmirrorable
from pipeline.mirroring.source_table import PgType

CQL_TYPES: dict[str, str] = {
    "int2": "smallint",
    "int4": "int",
    "int8": "bigint",
    "oid": "bigint",
    "numeric": "decimal",
    "money": "decimal",
    "float4": "float",
    "float8": "double",
    "bool": "boolean",
    "uuid": "uuid",
    "bytea": "blob",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
    "bit": "blob",  # bit(1) is a boolean, see cql_type
    **dict.fromkeys(
        (
            *("text", "varchar", "bpchar", "citext", "enum", "json", "jsonb", "xml", "hstore", "inet", "cidr"),
            *("macaddr", "macaddr8", "range", "tsvector", "ltree", "interval", "char"),
        ),
        "text",
    ),
}
GEOMETRY = "Debezium sends an object of its own, not the value"
ABSENT = "Debezium leaves such a column out of every change"
REFUSED: dict[str, str] = {
    "timetz": "Debezium turns the time to UTC and loses the zone; use time or timestamptz",
    "varbit": "Debezium loses the length; use bit(n), bytea or text",
    "name": "Debezium sends null for it; use text",
    **dict.fromkeys(("point", "line", "lseg", "box", "path", "polygon", "circle", "geometry", "geography"), GEOMETRY),
    **dict.fromkeys(("composite", "multirange", "pg_lsn", "xid8", "jsonpath", "tsquery", "regclass"), ABSENT),
}
# Elements that arrive as they are. Others come damaged or not at all.
ELEMENTS = frozenset(
    (
        *("int2", "int4", "int8", "float4", "float8", "numeric", "bool", "uuid", "date", "timestamp", "timestamptz"),
        *("bytea", "enum", "json", "jsonb", "text", "varchar", "bpchar", "citext", "inet", "cidr", "macaddr", "range"),
        "oid",
    )
)
REFUSED_ELEMENTS: dict[str, str] = {
    "time": "in an array, Debezium loses the microseconds and turns 24:00 into 00:00",
    "bit": "in an array, Debezium sends null for it",
    **dict.fromkeys(("interval", "money", "hstore", "composite", "xml"), ABSENT),
}
# Arrays whose unchanged TOASTed value arrives as a placeholder that the consumer recognises. The
# others arrive as plain null, like a value that was set to null (seen in Debezium 3.7).
RECOGNISED_WHEN_TOASTED = frozenset(
    ("int4", "int8", "date", "text", "varchar", "bpchar", "json", "jsonb", "bytea", "uuid")
)


def cql_type(kind: PgType) -> str:
    """The CQL type that holds every value exactly (times to the millisecond). Raises Unmirrorable.

    An array is a frozen list: an empty array stays different from null, and a change that is
    delivered twice does not append its elements twice, as it does in a list that is not frozen."""
    if kind.is_array:
        if kind.base not in ELEMENTS:
            reason = REFUSED_ELEMENTS.get(kind.base) or REFUSED.get(kind.base) or "Debezium has no exact form for it"
            raise Unmirrorable(reason)
        return f"frozen<list<{CQL_TYPES[kind.base]}>>"
    if kind.base == "bit" and kind.modifier == 1:
        return "boolean"
    if kind.base not in CQL_TYPES:
        raise Unmirrorable(REFUSED.get(kind.base, "Debezium has no exact form for it; add a text column that holds it"))
    return CQL_TYPES[kind.base]
