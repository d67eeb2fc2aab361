"""Random rows of PostgreSQL with the values that Cassandra should return, and what differs. Knows
SQL; reads nothing of Cassandra."""

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring.columns import PlannedColumn, plain
from pipeline.mirroring.plan import Plan
from pipeline.mirroring.sample_values import are_equal, expected, returned, selected
from pipeline.mirroring.source_table import quoted, sql_name
from pipeline.mirroring.types import cql_type

ROWS_PER_FETCH = 50

Values = dict[str, Any]
# A row's key as PostgreSQL writes it.
KeyText = tuple[str, ...]


class SourceSample:
    """Rows of one table. `where`: FROM and WHERE of the rows that are mirrored."""

    def __init__(self, cursor: Cursor, plan: Plan, columns: Sequence[PlannedColumn], where: str) -> None:
        self._cursor = cursor
        self._plan = plan
        self._columns = columns
        self._where = where
        values = [selected(column.source.name, column.source.type) for column in columns]
        keys = [f"format('%s', {quoted(name)})" for name in plan.key.columns]
        self._expressions = ", ".join([*values, *keys])

    def parts(self, share: float) -> Iterator[list[tuple[Values, KeyText]]]:
        """A random `share` of the rows, a few at a time: a row may have many megabytes. The cursor
        stays in PostgreSQL, which keeps the rows on disk."""
        chance = "" if share == 1 else f" AND random() < {share}"
        self._cursor.execute(f"DECLARE sample CURSOR WITH HOLD FOR SELECT {self._expressions} {self._where}{chance}")
        self._cursor.execute(f"FETCH {ROWS_PER_FETCH} FROM sample")
        while rows := self._cursor.fetchall():
            yield [self._values(row) for row in rows]
            self._cursor.execute(f"FETCH {ROWS_PER_FETCH} FROM sample")
        self._cursor.execute("CLOSE sample")

    def again(self, key_text: KeyText) -> Values | None:
        """The row with this key now; None if there is none."""
        source = self._plan.source
        conditions = [f"{quoted(name)} = %s::{source.column(name).type.text}" for name in self._plan.key.columns]
        # The % of format() must be doubled in a statement with arguments.
        expressions = self._expressions.replace("%", "%%")
        conditions_text = " AND ".join(conditions)
        self._cursor.execute(f"SELECT {expressions} FROM {sql_name(source.name)} WHERE {conditions_text}", key_text)
        row = self._cursor.fetchone()
        return None if row is None else self._values(row)[0]

    def _values(self, row: tuple) -> tuple[Values, KeyText]:
        values = {
            column.source.name: expected(column.source.type, column.cql_type or "", value)
            for column, value in zip(self._columns, row)
        }
        return values, row[len(self._columns) :]


def compared_columns(plan: Plan) -> list[PlannedColumn]:
    """Columns of the key, and those with the type that this program would choose. Others were made
    by hand, and what they should hold is not known here."""
    return [
        column
        for column in plan.mirrored
        if column.source.name in plan.key.columns or plain(column.cql_type or "") == plain(cql_type(column.source.type))
    ]


def row_differences(columns: Sequence[PlannedColumn], wanted: Values, mirrored: Values | None) -> list[str]:
    """What is not equal, as text. `mirrored`: the row as Cassandra's driver returns it."""
    if mirrored is None:
        return ["not in Cassandra"]
    found = []
    for column in columns:
        name = column.source.name
        value = returned(mirrored[name])
        if not are_equal(column.source.type, wanted[name], value):
            found.append(f"{name} is {wanted[name]!r} in PostgreSQL, {value!r} in Cassandra")
    return found
