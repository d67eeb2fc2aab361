"""Whether Cassandra has what PostgreSQL has: numbers of rows, and every value of a sample. Changes
nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring.cassandra_table import CassandraTable
from pipeline.mirroring.columns import PlannedColumn, plain
from pipeline.mirroring.odd_values import checks_of, unwritable_condition
from pipeline.mirroring.plan import Plan
from pipeline.mirroring.sample_values import are_equal, expected, returned, selected
from pipeline.mirroring.source_table import sql_name
from pipeline.mirroring.types import cql_type

# Rows whose values are compared: all of a small table.
SAMPLE_ROWS = 10_000
ROWS_PER_FETCH = 50


@dataclass(frozen=True, slots=True)
class Comparison:
    """`rows`: in PostgreSQL, without those that become dead letters; `mirrored_rows`: in Cassandra.
    `sampled`: rows whose values were compared. `differences`: what is not equal, as text.
    `example`: the partition key's value of one row, None without rows."""

    rows: int
    mirrored_rows: int
    sampled: int = 0
    values: int = 0
    differences: tuple[str, ...] = ()
    example: Any = None

    @property
    def equal(self) -> bool:
        return self.rows == self.mirrored_rows and not self.differences


def compare(cursor: Cursor, table: CassandraTable, plan: Plan) -> Comparison:
    """Counts first: while rows are missing, their values need not be read."""
    odd = unwritable_condition(checks_of(plan.source, plan.key, tuple(c.source for c in plan.mirrored)))
    where = f"FROM {sql_name(plan.source.name)} WHERE NOT ({odd})"
    cursor.execute(f"SELECT count(*) {where}")
    rows = int(cursor.fetchone()[0])
    mirrored_rows = table.count(plan.key.partition)
    if rows != mirrored_rows:
        return Comparison(rows, mirrored_rows)
    columns = compared_columns(plan)
    sampled, example, differences = 0, None, []
    for rows_now in samples(cursor, columns, where, rows):
        sample = [wanted_row(columns, row) for row in rows_now]
        differences += differences_of(table, plan, columns, sample)
        sampled += len(sample)
        example = sample[0][plan.key.partition[0]] if example is None else example
    return Comparison(rows, mirrored_rows, sampled, sampled * len(columns), tuple(differences), example)


def samples(cursor: Cursor, columns: Sequence[PlannedColumn], where: str, rows: int) -> Iterator[list[tuple]]:
    """The selected values of random rows, a few at a time: a row may have many megabytes. The
    cursor stays in PostgreSQL, which keeps the rows on disk."""
    expressions = ", ".join(selected(column.source.name, column.source.type) for column in columns)
    share = min(1.0, SAMPLE_ROWS / max(rows, 1))
    chance = "" if share == 1 else f" AND random() < {share}"
    cursor.execute(f"DECLARE sample CURSOR WITH HOLD FOR SELECT {expressions} {where}{chance}")
    try:
        while True:
            cursor.execute(f"FETCH {ROWS_PER_FETCH} FROM sample")
            if not (found := cursor.fetchall()):
                return
            yield found
    finally:
        cursor.execute("CLOSE sample")


def compared_columns(plan: Plan) -> list[PlannedColumn]:
    """Columns of the key, and those with the type that this program would choose. Others were made
    by hand, and what they should hold is not known here."""
    return [
        column
        for column in plan.mirrored
        if column.source.name in plan.key.columns or plain(column.cql_type or "") == plain(cql_type(column.source.type))
    ]


def wanted_row(columns: Sequence[PlannedColumn], values: Sequence[Any]) -> dict[str, Any]:
    return {
        column.source.name: expected(column.source.type, column.cql_type or "", value)
        for column, value in zip(columns, values)
    }


def differences_of(
    table: CassandraTable, plan: Plan, columns: Sequence[PlannedColumn], sample: Sequence[dict[str, Any]]
) -> list[str]:
    types = {column.source.name: column.cql_type or "" for column in columns}
    keys = [[row[name] for name in plan.key.columns] for row in sample]
    found: list[str] = []
    for key, wanted, row in zip(keys, sample, table.rows_by_key(plan.key, types, keys)):
        shown = ", ".join(f"{name}={value!r}" for name, value in zip(plan.key.columns, key))
        if row is None:
            found.append(f"{shown}: not in Cassandra")
            continue
        for column in columns:
            name = column.source.name
            if not are_equal(column.source.type, wanted[name], returned(row[name])):
                found.append(f"{shown}: {name} is {wanted[name]!r} in PostgreSQL, {returned(row[name])!r} in Cassandra")
    return found
