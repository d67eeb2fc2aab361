"""Puts into PostgreSQL what the exchange has and PostgreSQL lacks, as the producer does. From there
it reaches Cassandra through the stream. Knows SQL; compares nothing."""

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from pipeline.producer.batch import Batch
from pipeline.producer.trade_days import TradeDays
from pipeline.producer.upserts import Upserts, template
from pipeline.reconciliation.exchange_compare import Wrong
from pipeline.tables import TRADES, Table


class ExchangeRepair:
    """`connection`: of the producer's role."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._upserts = Upserts(connection, TradeDays(connection))

    def write(self, table: Table, wrong: Wrong) -> int:
        """Inserts what is missing and replaces what is different. Returns how many rows. Raises
        psycopg2 errors."""
        rows = [*wrong.missing, *wrong.different]
        self._upserts.write([Batch(table, rows, unconditional=True)])
        if table is TRADES and wrong.different:
            self._replace(table, wrong.different)
        return len(rows)

    def _replace(self, table: Table, rows: list[dict]) -> None:
        """The producer never replaces a trade."""
        names = [name for name in table.columns if name not in table.key]
        key_is_same = " AND ".join(f"old.{name} = new.{name}" for name in table.key if name != table.time)
        assignments = ", ".join(f"{name} = new.{name}" for name in names)
        sql = (
            f"UPDATE {table.name} AS old SET {assignments} FROM (VALUES %s) AS new ({', '.join(table.columns)})"
            f" WHERE {key_is_same}"
        )
        with self._connection, self._connection.cursor() as cursor:
            execute_values(cursor, sql, rows, template(table))
