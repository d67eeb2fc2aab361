"""Which values an event certainly carries. With PostgreSQL's default replica identity a delete
carries the primary key only, and Debezium fills the other columns in `before` with null or, where
they are NOT NULL, with their default or a zero. Taken for real values they would delete a wrong row
or none. Knows JSON and what each event says; asks neither PostgreSQL nor Cassandra."""

import re
from collections.abc import Collection
from typing import Any

import orjson

from pipeline.changes import Change, Row
from pipeline.errors import UnwritableRecord

# Text that Debezium fills in for a NOT NULL column that was not logged.
ZERO_TEXT = re.compile(r"[-+0.:,TZPYMDHS{}\[\]]*|1970-01-01T00:00:00(\.0+)?Z")


def remedy(table: str) -> str:
    return f'ALTER TABLE "{table}" REPLICA IDENTITY FULL in PostgreSQL'


def is_zero(cell: Any) -> bool:
    """Whether Debezium may have filled in this value."""
    if isinstance(cell, str):
        return ZERO_TEXT.fullmatch(cell) is not None
    return not cell or isinstance(cell, dict)


def key_row(kafka_key: bytes | None) -> Row | None:
    """The columns of the primary key with their values; None when the record's key is not an
    object, as that of a table without a primary key."""
    try:
        key = orjson.loads(kafka_key or b"null")
    except orjson.JSONDecodeError:
        return None
    if isinstance(key, dict) and "payload" in key and "schema" in key:
        key = key["payload"]
    return key if isinstance(key, dict) and key else None


class ReplicaIdentities:
    """What the events so far say about each table's replica identity. After a restart nothing is
    known; then what a single event contains has to be enough."""

    def __init__(self) -> None:
        # Tables whose updates came without `before`: REPLICA IDENTITY is not FULL.
        self._not_full: set[str] = set()
        # What their deletes carry in columns outside the key: defaults, so always the same.
        self._defaults: dict[str, Row] = {}

    def certain(self, change: Change) -> Change:
        """A delete with those columns only whose values the event certainly carries. Raises
        UnwritableRecord when the event does not even say which row it is."""
        key = key_row(change.kafka_key)
        if key is None:
            return change  # no primary key: PostgreSQL logs a delete with REPLICA IDENTITY FULL only
        outside = {column: cell for column, cell in change.row.items() if column not in key}
        filled = {column: cell for column, cell in outside.items() if not is_zero(cell)}
        if not filled or not self._is_full(change.table, filled):
            return change._replace(row={column: cell for column, cell in change.row.items() if column in key})
        if all(map(is_zero, key.values())) and (len(filled) < len(outside) or len(outside) == 1):
            raise UnwritableRecord(
                f"{change.table}: a delete of {shown(key)} that looks like one of a table with REPLICA IDENTITY USING"
                f" INDEX, whose events do not contain the primary key; {remedy(change.table)}, then delete the row"
                " here by hand"
            )
        return change

    def updated(self, change: Change) -> None:
        """Learn from an update."""
        if change.before is None:
            self._not_full.add(change.table)
        elif change.table in self._not_full:
            self._forget(change.table)

    def _is_full(self, table: str, filled: Row) -> bool:
        if table not in self._not_full:
            return True
        if self._defaults.setdefault(table, filled) == filled:
            return False
        self._forget(table)  # defaults do not differ between rows: the identity has become FULL
        return True

    def _forget(self, table: str) -> None:
        self._not_full.discard(table)
        self._defaults.pop(table, None)


def check_update(change: Change, key: Collection[str], null_if_unchanged: Collection[str]) -> None:
    """`key`: the key of the Cassandra table. `null_if_unchanged`: its collections that Debezium
    sends as null when an update left them alone. Raises UnwritableRecord for an update without
    `before` that may have moved the row to another key, or whose null may mean unchanged."""
    if change.before is not None:
        return
    kafka_key = key_row(change.kafka_key)
    if kafka_key is not None and not kafka_key.keys() >= set(key):
        column = next(column for column in key if column not in kafka_key)
        raise UnwritableRecord(
            f"{change.table}: {column} is part of the key in Cassandra but not in PostgreSQL, so that this update may"
            f" have moved the row, and the event does not contain its old key; {remedy(change.table)}"
        )
    for column in null_if_unchanged:
        if column in change.row and change.row[column] is None:
            raise UnwritableRecord(
                f"{change.table}.{column}=null: Debezium sends null for a large array of this type that an update left"
                f" alone, as for a real null; {remedy(change.table)}"
            )


def shown(key: Row) -> str:
    return ", ".join(f"{column}={cell}" for column, cell in key.items())[:100]
