"""Which values an event certainly carries. With PostgreSQL's default replica identity a delete
carries the primary key only, and Debezium fills the other columns in `before` with null or, where
they are NOT NULL, with their default or a zero. Taken for real values they would delete a wrong row
or none. Knows JSON and what each event says; asks neither PostgreSQL nor Cassandra."""

import re
from collections.abc import Collection
from typing import Any, NamedTuple

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


class InDeletes(NamedTuple):
    """What deletes of a table are known to carry: mirror_table.py has made sure of it."""

    primary_key: bool = False
    whole_row: bool = False


NOTHING_KNOWN = InDeletes()


class ReplicaIdentities:
    """What the events so far say about each table's replica identity. After a restart nothing is
    known; then a value that differs from what Debezium fills in counts as logged."""

    def __init__(self) -> None:
        # By table: whether its last update came with the whole row before it.
        self._full: dict[str, bool] = {}
        # What the first delete carried in columns outside the key. Defaults are the same in each.
        self._first_filled: dict[str, Row] = {}

    def certain(self, change: Change, known: InDeletes = NOTHING_KNOWN) -> Change:
        """A delete with those columns only whose values the event certainly carries. That it
        carries the whole row counts until an update came without the row before it. Raises
        UnwritableRecord when the event does not even say which row it is."""
        key = key_row(change.kafka_key)
        if key is None:
            return change  # no primary key: PostgreSQL logs a delete with REPLICA IDENTITY FULL only
        outside = {column: cell for column, cell in change.row.items() if column not in key}
        filled = {column: cell for column, cell in outside.items() if not is_zero(cell)}
        is_full = self._full.get(change.table, known.whole_row or None)
        if is_full:
            return change
        differs = self._first_filled.setdefault(change.table, filled) != filled
        if is_full is False and not differs:
            filled = {}
        looks_indexed = filled and all(map(is_zero, key.values())) and (len(filled) < len(outside) or len(outside) == 1)
        if looks_indexed and not known.primary_key:
            raise UnwritableRecord(
                f"{change.table}: a delete of {shown(key)} that looks like one of a table with REPLICA IDENTITY USING"
                f" INDEX, whose events do not contain the primary key; {remedy(change.table)}, then delete the row"
                " here by hand"
            )
        if differs:
            return change
        return change._replace(row={name: cell for name, cell in change.row.items() if name in key or name in filled})

    def updated(self, change: Change) -> Change:
        """Learns from an update. `before` is left out unless it is the whole row: with REPLICA
        IDENTITY USING INDEX it contains the columns of the index only, and zeros for the primary
        key."""
        key = key_row(change.kafka_key) or {}
        before = change.before
        self._full[change.table] = before is not None and all(before.get(name) == key[name] for name in key)
        return change if self._full[change.table] else change._replace(before=None)


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
