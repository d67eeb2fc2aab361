"""Rows into PostgreSQL: one statement per table and page, one transaction per write, no write for a
row that has not changed. Knows SQL and psycopg2; knows nothing of the exchange.

execute_values, not COPY: a multi-insert WAL record gives its rows one LSN, and Debezium before 3.7
lost such rows on a restart."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from pipeline.producer import metrics
from pipeline.producer.batch import Batch, Row
from pipeline.producer.state import keep_trade_positions
from pipeline.producer.trade_days import TradeDays
from pipeline.tables import LEVELS, TRADES, Table

PAGE_ROWS = 1000
UPDATED_AT = "updated_at"


@lru_cache
def upsert_sql(table: Table, unconditional: bool = False) -> str:
    """INSERT … ON CONFLICT that changes a row only when a value changed. The join filters first: ON
    CONFLICT alone would lock every unchanged row, and a row lock is written to the WAL (measured:
    with the join, 2,880 unchanged candles write no WAL at all)."""
    columns = ", ".join(table.columns)
    values = [name for name in table.columns if name not in table.key]
    if not values or table is TRADES:
        return f"INSERT INTO {table.name} ({columns}) VALUES %s ON CONFLICT DO NOTHING"
    compared = [name for name in values if name not in table.volatile]
    differs = "({}) IS DISTINCT FROM ({})".format(
        ", ".join(f"old.{name}" for name in compared), ", ".join(f"new.{name}" for name in compared)
    )
    conditional = table.update_condition and not unconditional
    changed = f"{differs} AND {table.update_condition}" if conditional else differs
    key_is_same = " AND ".join(f"old.{name} = new.{name}" for name in table.key)
    assignments = ", ".join(f"{name} = excluded.{name}" for name in values)
    return (
        f"INSERT INTO {table.name} AS old ({columns}) SELECT new.* FROM (VALUES %s) AS new ({columns}) "
        f"LEFT JOIN {table.name} AS old ON {key_is_same} WHERE old.{table.key[0]} IS NULL OR ({changed}) "
        f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {assignments} "
        f"WHERE {changed.replace('new.', 'excluded.')}"
    )


@lru_cache
def template(table: Table) -> str:
    """One row of VALUES. `updated_at` is the start of the transaction by PostgreSQL's clock, so it
    is never later than the commit."""
    return "({})".format(
        ", ".join("now()" if name == UPDATED_AT else f"%({name})s::{kind}" for name, kind in table.columns.items())
    )


def upsert(cursor: Cursor, table: Table, rows: Iterable[Row], unconditional: bool = False) -> tuple[int, int]:
    """Write the rows within the cursor's transaction. Returns how many were inserted or changed,
    and how many were unchanged."""
    by_key = {tuple(row[name] for name in table.key): row for row in rows}  # a statement takes a key only once
    levels = [name for name, kind in table.columns.items() if kind == LEVELS]
    unique = list(by_key.values())
    if levels:
        unique = [row | {name: Json(row[name]) for name in levels} for row in unique]
    changed = 0
    for start in range(0, len(unique), PAGE_ROWS):
        page = unique[start : start + PAGE_ROWS]
        execute_values(cursor, upsert_sql(table, unconditional), page, template(table), page_size=PAGE_ROWS)
        changed += cursor.rowcount
    return changed, len(unique) - changed


class Upserts:
    """Writes batches on one connection."""

    def __init__(self, connection: Connection, trade_days: TradeDays) -> None:
        self._connection = connection
        self._trade_days = trade_days

    def write(self, batches: Iterable[Batch], positions: Mapping[str, int] | None = None) -> None:
        """Commit all batches and the last trade id per symbol, or nothing. Raises psycopg2
        errors."""
        counts: list[tuple[str, int, int]] = []
        batches = [batch for batch in batches if batch.rows]
        for batch in batches:
            if batch.table is TRADES:
                self._trade_days.make(row["trade_time"].date() for row in batch.rows)
        with self._connection, self._connection.cursor() as cursor:
            for batch in batches:
                counts.append((batch.table.name, *upsert(cursor, batch.table, batch.rows, batch.unconditional)))
            keep_trade_positions(cursor, positions or {})
        for name, changed, unchanged in counts:
            metrics.ROWS_CHANGED.labels(name).inc(changed)
            metrics.ROWS_UNCHANGED.labels(name).inc(unchanged)
