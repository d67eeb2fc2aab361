"""A value of a key as text that PostgreSQL reads as the same value. Knows types; knows no
connection."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pipeline.changes import Row
from pipeline.mirroring.source_table import PgType, SourceTable
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.stored_rows import StoredTable
from pipeline.reconciliation.targets import Stored
from pipeline.times import EPOCH, cassandra_datetime_to_ms, ms_to_iso

# Types of CQL whose values Python writes as PostgreSQL reads them.
PLAIN = frozenset(
    (
        *("text", "ascii", "varchar", "bigint", "int", "smallint", "tinyint", "varint", "decimal", "double", "float"),
        *("boolean", "uuid", "timeuuid", "inet", "date", "time", "timestamp"),
    )
)


def is_supported(kind: PgType, cql_type: str) -> bool:
    """Whether a row can be looked up in PostgreSQL by such a column of Cassandra's key."""
    if cql_type == "blob":
        return kind.base == "bytea"
    return not kind.is_array and kind.base not in ("bit", "hstore", "interval") and cql_type in PLAIN


def lookup_names(names: Sequence[str], stored: StoredTable) -> tuple[str, ...]:
    """For SourceRows.by_key: Cassandra's timestamps are whole milliseconds."""
    columns = stored.table.columns
    return tuple(f"{name}/ms" if columns[name].cql_type == "timestamp" else name for name in names)


def of_stored(lookup: Sequence[str], source: SourceTable, stored: Stored, key: RawRow) -> tuple[str, ...]:
    """The values of these columns in a key of the store. `lookup`: names for SourceRows.by_key."""
    found = []
    for name, _, form in (each.partition("/") for each in lookup):
        value = stored.value(name, key[stored.key.index(name)])
        if form == "ms":
            found.append(ms_to_iso(cassandra_datetime_to_ms(value)))
        elif isinstance(value, bytes):
            found.append(hex_bytes(value))
        else:
            found.append(of_number(source.column(name).type, value))
    return tuple(found)


def of_streamed(source: SourceTable, row: Row) -> tuple[str, ...]:
    """The primary key of a row in Debezium's form."""
    found = []
    for name in source.primary_key:
        kind, value = source.column(name).type, row[name]
        found.append(hex_bytes(b64decode(value)) if kind.base == "bytea" else of_number(kind, value))
    return tuple(found)


def hex_bytes(value: bytes) -> str:
    return "\\x" + value.hex()


def of_number(kind: PgType, value: Any) -> str:
    """Times and dates that are numbers: µs or days since 1970, µs since midnight."""
    if not isinstance(value, int) or isinstance(value, bool):
        return str(value)
    if kind.base == "timestamp":
        return (EPOCH + timedelta(microseconds=value)).replace(tzinfo=None).isoformat()
    if kind.base == "date":
        return (EPOCH + timedelta(days=value)).date().isoformat()
    if kind.base == "time":
        seconds, us = divmod(value, 1_000_000)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{us:06}"
    return str(value)
