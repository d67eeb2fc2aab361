"""The rows of one table of PostgreSQL in the form in which Debezium sends them: streamed, or by
key. Knows SQL; knows nothing of Cassandra."""

from collections.abc import Iterator, Sequence

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pipeline.changes import Row
from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import checks_of, unwritable_condition
from pipeline.mirroring.source_table import SourceTable, quoted, sql_name
from pipeline.reconciliation.streamed_values import converter, is_streamed, selected

BATCH_ROWS = 2000
KEYS_PER_QUERY = 1000

# (row, whether the stream damages or refuses a value of it)
Batch = list[tuple[Row, bool]]


class SourceRows:
    """`columns`: those that Debezium sends. `left_out`: those that it sends in a form that is not
    known here."""

    def __init__(self, table: SourceTable) -> None:
        self.table = table
        sent = [column for column in table.columns if not column.generated and is_streamed(column.type)]
        self.columns = [column.name for column in sent]
        self.left_out = [column.name for column in table.columns if column not in sent and not column.generated]
        self._converters = {column.name: convert for column in sent if (convert := converter(column.type))}
        arrays = tuple(column for column in sent if column.type.is_array)
        odd = unwritable_condition(checks_of(table, Key(table.primary_key[:1]), arrays, {})) if arrays else "false"
        self._shown = ", ".join([*(selected(column.name, column.type) for column in sent), odd])

    def stream(
        self, connection: Connection, where: str = "true", values: Sequence[object] = (), distinct: str = ""
    ) -> Iterator[Batch]:
        """The rows under a condition, in batches; PostgreSQL keeps the rest. Within the
        connection's transaction."""
        with connection.cursor(name="reconcile_rows") as cursor:
            # The % of format() must be doubled in a statement with arguments.
            shown = self._shown.replace("%", "%%") if values else self._shown
            cursor.execute(f"SELECT {distinct} {shown} FROM {sql_name(self.table.name)} WHERE {where}", values or None)
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield [self._row(values) for values in rows]

    def by_key(self, cursor: Cursor, names: Sequence[str], keys: Sequence[Sequence[object]]) -> Batch:
        """The rows with these keys. A name that ends with `/ms` is a time; its value, text, stands
        for the whole millisecond. One that ends with `/text` is compared as text, which need not be
        a value of the column's type."""
        conditions, casts = [], []
        for number, name in enumerate(names):
            column, _, form = name.partition("/")
            kind = "text" if form == "text" else self.table.column(column).type.text
            casts.append(f"%s::{kind}")
            value = f'k."[{number}]"'
            if form == "ms":
                conditions.append(
                    f"t.{quoted(column)} >= {value} AND t.{quoted(column)} < {value} + interval '1 millisecond'"
                )
            else:
                conditions.append(f"t.{quoted(column)}{'::text' if form else ''} = {value}")
        aliases = ", ".join(f'"[{number}]"' for number in range(len(names)))
        sql = (
            f"SELECT {self._shown.replace('%', '%%')} FROM (VALUES %s) AS k ({aliases})"
            f" JOIN {sql_name(self.table.name)} AS t ON {' AND '.join(conditions)}"
        )
        rows = execute_values(cursor, sql, keys, f"({', '.join(casts)})", page_size=KEYS_PER_QUERY, fetch=True)
        return [self._row(values) for values in rows]

    def _row(self, values: tuple) -> tuple[Row, bool]:
        row = dict(zip(self.columns, values))
        for name, convert in self._converters.items():
            if row[name] is not None:
                row[name] = convert(row[name])
        return row, values[-1]
