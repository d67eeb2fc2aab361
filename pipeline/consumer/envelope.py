"""One Debezium envelope as a Change. Knows JSON and what orders two changes; knows nothing of Kafka
or Cassandra."""

from typing import Any

import orjson

from pipeline.changes import Change, Row
from pipeline.consumer.unchanged_values import TRACE, has_placeholder, is_placeholder
from pipeline.errors import UnwritableRecord
from pipeline.tables import TABLES
from pipeline.times import iso_to_us

WITH_ROW = frozenset({"c", "u", "r", "d"})
NO_ROW = frozenset({"t", "m"})  # truncate, logical message

CONVERTER = "the connector needs value.converter=org.apache.kafka.connect.json.JsonConverter"

# Snapshot rows carry the time when the snapshot starts, a little later than the point from which
# changes are streamed. A row without a version of its own counts as this much older, so that it
# never hides a streamed change (docs/decisions/0002-which-version-orders-two-writes.md).
SNAPSHOT_MARGIN_US = 60_000_000

VERSION_COLUMNS = {name: table.version for name, table in TABLES.items()}
DEFAULT_VERSION_COLUMN = "updated_at"


def parse(table: str, value: bytes | None, key: bytes | None = None) -> Change | None:
    """The change in a record's value; None when it holds no row (a tombstone, a truncate, a logical
    message). `key` is the record's key. Raises UnwritableRecord when it is not an envelope, or not
    one of this table."""
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
            return None
        if op not in WITH_ROW:
            raise UnwritableRecord(f"unknown op {op!r}")
        return change(table, op, envelope, value, key)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnwritableRecord(f"not a Debezium envelope: {type(error).__name__} {error}") from error


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
    if TRACE in value if table in TABLES else has_placeholder(row):
        complete = len(row)
        row = without_placeholders(table, op, row, envelope.get("before") if op == "u" else None)
        incomplete = len(row) < complete
    if op == "r":
        return Change(table, False, row, snapshot_version_us(table, row, int(source["ts_us"])), 0, op)
    commit_us = int(source["ts_us"])
    if table in TABLES:
        return Change(table, op == "d", row, commit_us, commit_us, op)
    before = envelope.get("before") if op == "u" else None
    return Change(table, op == "d", row, commit_us, commit_us, op, before, key, incomplete)


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


def snapshot_version_us(table: str, row: dict[str, Any], snapshot_us: int) -> int:
    """The version of a row that was read, not streamed: its own version column, which is never
    later than its commit. `snapshot_us` itself cannot be the version: measured, 18 of 50 rows had a
    streamed update with a smaller time than the older snapshot row. It is the upper bound, because
    `updated_at` may mean anything in a table that this project does not define."""
    own: Any = row.get(VERSION_COLUMNS.get(table, DEFAULT_VERSION_COLUMN))
    try:
        own_us = iso_to_us(own)
    except (TypeError, ValueError):
        if table in VERSION_COLUMNS:
            raise
        own_us = snapshot_us
    return own_us if own_us < snapshot_us else snapshot_us - SNAPSHOT_MARGIN_US
