"""What passes between the stream of changes and Cassandra: an envelope holds a `Change`, and a
transformation turns it into `Write`s. Knows neither Kafka nor Cassandra."""

from typing import Any, NamedTuple

INSERT, UPDATE, DELETE = "insert", "update", "delete"

Row = dict[str, Any]


class Change(NamedTuple):
    """One change of one row. `row`: the row after the change (before it, for a delete) as in
    Debezium's JSON: decimals and times with time zone are text, times without are numbers of µs.
    `version_us`: orders the changes of a row, the larger wins. `commit_us`: when PostgreSQL
    committed, 0 for snapshot rows. Both in µs since 1970.
    `lsn`, `transaction`: where the change is in PostgreSQL's log and the id of its transaction;
    None for snapshot rows.
    `op`: Debezium's letter (c, u, d, r). `before`: for an update of a table with REPLICA IDENTITY
    FULL, the row before it. `kafka_key`: the key of the record, which names the columns of the
    primary key. `incomplete`: the update left out columns whose values it did not change."""

    table: str
    deleted: bool
    row: Row
    version_us: int
    commit_us: int
    lsn: int | None = None
    transaction: int | None = None
    op: str = "u"
    before: Row | None = None
    kafka_key: bytes | None = None
    incomplete: bool = False


class Truncation(NamedTuple):
    """All rows of `table` were removed at `commit_us`: those whose change is earlier in
    PostgreSQL's log than `lsn`."""

    table: str
    commit_us: int
    lsn: int
    transaction: int | None


class Write(NamedTuple):
    """One row to write. `kind` INSERT: the whole row. UPDATE: only the given columns of a row that
    several source tables share. DELETE: `row` needs the key only. None clears a column; columns
    that the Cassandra table lacks are ignored.
    `once`: set for a row that consists of its key only and that many changes ask for; rows with
    equal `once` are written once per poll."""

    table: str
    kind: str
    row: Row
    once: tuple | None = None
