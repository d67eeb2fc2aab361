"""Columns that one side has and the other lacks: counted per row, and logged once with a statement
that fixes it. Knows no values."""

import logging
from collections.abc import Collection, Sequence
from itertools import chain

from pipeline.changes import INSERT, Row
from pipeline.consumer.metrics import MISSING_COLUMNS, UNKNOWN_COLUMNS
from pipeline.consumer.statement_text import quoted
from pipeline.consumer.statements import TableStatement

log = logging.getLogger(__name__)


class ColumnReport:
    """Compares the columns of changes with those of the Cassandra table."""

    def __init__(self) -> None:
        self._logged: set[tuple[str, str]] = set()

    def check(self, statement: TableStatement, rows: Sequence[Row], complete_row: Row | None) -> None:
        """`complete_row`: one row, of these or of others like them, with all columns of its
        event."""
        if not statement.known.issuperset(chain.from_iterable(rows)):
            self._count_unknown(statement, rows)
        if statement.kind == INSERT and complete_row is not None and not complete_row.keys() >= statement.known:
            self._count_missing(statement, len(rows), complete_row)

    def _count_unknown(self, statement: TableStatement, rows: Sequence[Row]) -> None:
        table = statement.table.name
        for row in rows:
            for column in row.keys() - statement.known:
                UNKNOWN_COLUMNS.labels(table, column).inc()
                self._log_once("unknown_column", statement, column, unknown_remedy(statement, column))

    def _count_missing(self, statement: TableStatement, count: int, complete_row: Row) -> None:
        for column in statement.known - complete_row.keys():
            MISSING_COLUMNS.labels(statement.table.name, column).inc(count)
            self._log_once("missing_column", statement, column, missing_remedy(statement, column, complete_row))

    def _log_once(self, event: str, statement: TableStatement, column: str, remedy: str) -> None:
        table = statement.table.name
        if (table, column) not in self._logged:
            self._logged.add((table, column))
            log.warning(event, extra={"table": table, "column": column, "remedy": remedy})


def unknown_remedy(statement: TableStatement, column: str) -> str:
    """What to type in cqlsh."""
    add = f"{alter(statement)} ADD {quoted(column)} …"
    other = in_other_case(column, statement.known)
    return f"{add} (Cassandra has {quoted(other)}, which is another column)" if other else add


def missing_remedy(statement: TableStatement, column: str, row: Row) -> str:
    table = statement.table.name
    other = in_other_case(column, row)
    if other:
        return f"PostgreSQL sends {quoted(other)}: {alter(statement)} ADD {quoted(other)} …"
    return (
        f"add the column to PostgreSQL's table {quoted(table)}; if it is there, Debezium cannot send its type"
        " (composite, multirange, pg_lsn, interval[], generated column): copy it into a column of another type;"
        f" or {alter(statement)} DROP {quoted(column)}"
    )


def alter(statement: TableStatement) -> str:
    return f"ALTER TABLE {quoted(statement.table.keyspace_name)}.{quoted(statement.table.name)}"


def in_other_case(column: str, columns: Collection[str]) -> str | None:
    return next((name for name in columns if name != column and name.lower() == column.lower()), None)
