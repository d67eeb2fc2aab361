"""What crosses the seam between the stream and the store: a `Change` comes out of an envelope, a
transformation turns it into `Write`s. Knows no Kafka and no Cassandra."""

from typing import Any, NamedTuple

INSERT, UPDATE, DELETE = "insert", "update", "delete"

Row = dict[str, Any]


class Change(NamedTuple):
    """One change of one row. `row` is the row after it (before it, for a delete) as Debezium's JSON
    has it: decimals and times are strings. `version_us` orders the changes of a row, the larger
    wins; `commit_us` is when PostgreSQL committed, 0 for snapshot rows. Both in µs since 1970."""

    table: str
    deleted: bool
    row: Row
    version_us: int
    commit_us: int


class Write(NamedTuple):
    """One row to write. INSERT: the whole row. UPDATE: only the columns given, of a row that
    several sources share; None clears a column. DELETE: `row` needs the key only. Columns that the
    Cassandra table lacks are ignored.
    `once`: set for a row that is nothing but its key and comes with many changes; written once per
    poll."""

    table: str
    kind: str
    row: Row
    once: tuple | None = None
