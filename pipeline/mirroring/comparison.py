"""Whether Cassandra has what PostgreSQL has: numbers of rows, and every value of a sample. Changes
nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring.cassandra_table import CassandraTable
from pipeline.mirroring.odd_values import checks_of, unwritable_condition
from pipeline.mirroring.plan import Plan
from pipeline.mirroring.sample import SourceSample, compared_columns, row_differences
from pipeline.mirroring.source_table import sql_name

# Rows whose values are compared: all of a small table.
SAMPLE_ROWS = 10_000
# Rows that differ are read again, because they may have changed between the two reads.
MAX_ROWS_READ_AGAIN = 20
# Longer than a change takes from PostgreSQL to Cassandra (median 30 ms, bench/results/latency.md).
SETTLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Comparison:
    """`rows_before` and `rows`: in PostgreSQL, before and after Cassandra's were counted, without
    those that become dead letters; they differ while a program writes. `mirrored_rows`: in
    Cassandra.
    `sampled`: rows whose values were compared. `differences`: what is not equal, as text.
    `example`: the partition key's value of one row, None without rows."""

    rows_before: int
    rows: int
    mirrored_rows: int
    sampled: int = 0
    values: int = 0
    differences: tuple[str, ...] = ()
    example: Any = None

    @property
    def missing_rows(self) -> int:
        return max(0, min(self.rows_before, self.rows) - self.mirrored_rows)

    @property
    def extra_rows(self) -> int:
        return max(0, self.mirrored_rows - max(self.rows_before, self.rows))

    @property
    def equal(self) -> bool:
        return not (self.missing_rows or self.extra_rows or self.differences)


def compare(
    cursor: Cursor,
    table: CassandraTable,
    plan: Plan,
    settle_seconds: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Comparison:
    """Counts first: while rows are missing, their values need not be read. `settle_seconds`: the
    wait between PostgreSQL's count and Cassandra's, for changes that are on their way."""
    cql_types = {column.source.name: column.cql_type for column in plan.mirrored}
    odd = unwritable_condition(checks_of(plan.source, plan.key, tuple(c.source for c in plan.mirrored), cql_types))
    where = f"FROM {sql_name(plan.source.name)} WHERE NOT ({odd})"
    rows_before = count(cursor, where)
    sleep(settle_seconds)
    mirrored_rows = table.count(plan.key.partition)
    counted = Comparison(rows_before, count(cursor, where), mirrored_rows)
    return compare_values(cursor, table, plan, where, counted, sleep) if counted.equal else counted


def count(cursor: Cursor, where: str) -> int:
    cursor.execute(f"SELECT count(*) {where}")
    return int(cursor.fetchone()[0])


def compare_values(
    cursor: Cursor,
    table: CassandraTable,
    plan: Plan,
    where: str,
    counted: Comparison,
    sleep: Callable[[float], None],
) -> Comparison:
    columns = compared_columns(plan)
    types = {column.source.name: column.cql_type or "" for column in columns}
    source = SourceSample(cursor, plan, columns, where)
    sampled, reads_again, example, found = 0, 0, None, []
    for part in source.parts(min(1.0, SAMPLE_ROWS / max(counted.rows, 1))):
        keys = [[wanted[name] for name in plan.key.columns] for wanted, _ in part]
        for (wanted, key_text), key, mirrored in zip(part, keys, table.rows_by_key(plan.key, types, keys)):
            differences = row_differences(columns, wanted, mirrored)
            if differences and reads_again < MAX_ROWS_READ_AGAIN:
                reads_again += 1
                before = source.again(key_text)
                sleep(SETTLE_SECONDS)
                (mirrored,) = table.rows_by_key(plan.key, types, [key])
                after = source.again(key_text)
                # A row that changes at this moment, or was deleted, proves nothing.
                differences = row_differences(columns, after, mirrored) if after and before == after else []
            found += [f"{shown_key(plan, key)}: {difference}" for difference in differences]
        sampled += len(part)
        example = keys[0][0] if example is None else example
    return Comparison(
        counted.rows_before,
        counted.rows,
        counted.mirrored_rows,
        sampled,
        sampled * len(columns),
        tuple(found),
        example,
    )


def shown_key(plan: Plan, key: list[Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in zip(plan.key.columns, key))
