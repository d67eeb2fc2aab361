"""One Debezium envelope as a Change. Knows JSON and what orders two changes; knows nothing of Kafka
or Cassandra."""

from typing import Any

import orjson

from pipeline.changes import Change
from pipeline.errors import UnwritableRecord
from pipeline.tables import TABLES
from pipeline.times import iso_to_us

# Debezium sends this for a TOASTed value that an update did not touch; it must never be stored.
UNAVAILABLE = "__debezium_unavailable_value"
UNAVAILABLE_BYTES = UNAVAILABLE.encode()

WITH_ROW = frozenset({"c", "u", "r", "d"})
NO_ROW = frozenset({"t", "m"})  # truncate, logical message

# Snapshot rows carry the time when the snapshot starts, a little later than the point from which
# changes are streamed. A row without a version of its own counts as this much older, so that it
# never hides a streamed change (docs/decisions/0002-which-version-orders-two-writes.md).
SNAPSHOT_MARGIN_US = 60_000_000

VERSION_COLUMNS = {name: table.version for name, table in TABLES.items()}
DEFAULT_VERSION_COLUMN = "updated_at"


def parse(table: str, value: bytes | None) -> Change | None:
    """The change in a record's value; None when it holds no row (a tombstone, a truncate, a logical
    message). Raises UnwritableRecord when it is not an envelope."""
    if value is None:
        return None
    try:
        envelope = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise UnwritableRecord(f"not JSON: {error}") from error
    try:
        op = envelope["op"]
        if op in NO_ROW:
            return None
        if op not in WITH_ROW:
            raise UnwritableRecord(f"unknown op {op!r}")
        row = envelope["before" if op == "d" else "after"]
        if UNAVAILABLE_BYTES in value:
            row = {column: cell for column, cell in row.items() if cell not in (UNAVAILABLE, [UNAVAILABLE])}
        elif not isinstance(row, dict):
            raise UnwritableRecord(f"op {op} without a row")
        source = envelope["source"]
        if op == "r":
            return Change(table, False, row, snapshot_version_us(table, row, int(source["ts_us"])), 0)
        commit_us = int(source["ts_us"])
        return Change(table, op == "d", row, commit_us, commit_us)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnwritableRecord(f"not a Debezium envelope: {type(error).__name__} {error}") from error


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
