"""One Debezium envelope as a Change. Knows JSON and what orders two changes; knows nothing of Kafka
or Cassandra."""

from typing import Any

import orjson

from pipeline.changes import Change, Row, Truncation
from pipeline.errors import UnwritableRecord
from pipeline.stream.row_versions import SNAPSHOT_MARGIN_US
from pipeline.stream.unchanged_values import TRACE, has_placeholder, is_placeholder
from pipeline.tables import CASSANDRA_TABLES

WITH_ROW = frozenset({"c", "u", "r", "d"})
NO_ROW = frozenset({"t", "m"})  # truncate, logical message

# A commit time outside of this is no time: PostgreSQL's own end in the year 294276.
MAX_TIME_US = 2**62

CONVERTER = "the connector needs value.converter=org.apache.kafka.connect.json.JsonConverter"


def parse(table: str, value: bytes | None, key: bytes | None = None) -> Change | Truncation | None:
    """The change in a record's value, with the least version that it can have; None when it holds
    none (a tombstone, a logical message). `key` is the record's key. Raises UnwritableRecord when
    it is not an envelope, or not one of this table."""
    if value is None:
        return None
    try:
        envelope = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise UnwritableRecord(f"not JSON: {error}; {CONVERTER}") from error
    try:
        if "op" not in envelope:
            envelope = unwrapped(envelope)
            if envelope is None:
                return None
        op = envelope["op"]
        if op in NO_ROW:
            return truncation(table, envelope["source"]) if op == "t" else None
        if op not in WITH_ROW:
            raise UnwritableRecord(f"unknown op {op!r}")
        return change(table, op, envelope, value, key)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnwritableRecord(f"not a Debezium envelope: {type(error).__name__} {error}") from error


def truncation(table: str, source: dict[str, Any]) -> Truncation:
    return Truncation(table, time_us(source), int(source["lsn"]), whole(source.get("txId")))


def whole(value: Any) -> int | None:
    """A number of PostgreSQL's; None for whatever another producer may have written there."""
    return value if isinstance(value, int) else None


def time_us(source: dict[str, Any]) -> int:
    """When PostgreSQL committed, or when the snapshot began. Raises UnwritableRecord."""
    moment_us = int(source["ts_us"])
    if not 0 < moment_us < MAX_TIME_US:
        raise UnwritableRecord(f"source.ts_us={moment_us}: not a time in µs since 1970")
    return moment_us


def unwrapped(record: Any) -> Any:
    """The envelope in a record that a converter wrapped into {"schema", "payload"}, because it is
    set to send the schema with each record; None in place of a tombstone."""
    envelope = record["payload"] if isinstance(record, dict) and "payload" in record else record
    if envelope is None and record is not None:
        return None
    if not isinstance(envelope, dict) or "op" not in envelope:
        raise UnwritableRecord(
            f'not a Debezium envelope: it has no "op"; {CONVERTER}, and no transform that flattens the record'
        )
    return envelope


def change(table: str, op: str, envelope: dict[str, Any], value: bytes, key: bytes | None) -> Change:
    """The change in an envelope that holds a row; `value` are its bytes."""
    row, source = envelope["before" if op == "d" else "after"], envelope["source"]
    if not isinstance(row, dict):
        raise UnwritableRecord(f"op {op} without a row")
    if source.get("table", table) != table:
        raise foreign(source["table"], table)
    incomplete = False
    # The project's own tables hold no bytes and no arrays, so only the text form can come.
    if TRACE in value if table in CASSANDRA_TABLES else has_placeholder(row):
        complete = len(row)
        row = without_placeholders(table, op, row, envelope.get("before") if op == "u" else None)
        incomplete = len(row) < complete
    if op == "r":
        return Change(table, False, row, time_us(source) - SNAPSHOT_MARGIN_US, 0, op=op)
    commit_us = time_us(source)
    position = whole(source.get("lsn")), whole(source.get("txId"))
    if table in CASSANDRA_TABLES:
        return Change(table, op == "d", row, commit_us, commit_us, *position, op)
    before = envelope.get("before") if op == "u" else None
    return Change(table, op == "d", row, commit_us, commit_us, *position, op, before, key, incomplete)


def foreign(captured: str, table: str) -> UnwritableRecord:
    """For a change of another table. Debezium replaces characters that a topic's name cannot
    contain: b$orders and b_orders then share a topic."""
    return UnwritableRecord(
        f"a change of table {captured} on the topic of {table}: the name of {captured} contains characters that"
        f' Kafka does not allow in a topic; ALTER TABLE "{captured}" RENAME TO … in PostgreSQL'
    )


def without_placeholders(table: str, op: str, row: Row, before: Any) -> Row:
    """The row without the columns whose values the event does not contain; with REPLICA IDENTITY
    FULL they are in `before`. Raises UnwritableRecord when such a row would be a new one: the value
    exists nowhere in the stream."""
    missing = [column for column, cell in row.items() if is_placeholder(cell)]
    if not missing:
        return row
    known = before if isinstance(before, dict) else {}
    found = {column: known[column] for column in missing if column in known and not is_placeholder(known[column])}
    lost = [column for column in missing if column not in found]
    if lost and op in ("c", "r"):
        raise UnwritableRecord(
            f"{table}.{lost[0]}: a new row without the value of this column, which PostgreSQL did not log because the"
            f" update of the primary key left it alone; ALTER TABLE {table} REPLICA IDENTITY FULL, then update the row"
        )
    return {column: found.get(column, cell) for column, cell in row.items() if column not in lost}
