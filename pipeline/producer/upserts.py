"""Rows into PostgreSQL: one statement per table and page, one transaction per batch, no write for a
row that is so already. Knows SQL and psycopg2; knows nothing of the exchange.

execute_values, not COPY: a multi-insert WAL record gives its rows one LSN, and Debezium before 3.7
lost such rows on a restart (facts: what_goes_wrong.md)."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from pipeline.producer import metrics
from pipeline.tables import KLINES, LEVELS, TRADES, Table

PAGE_ROWS = 1000
UPDATED_AT = "updated_at"

Row = dict[str, Any]


class Batch(NamedTuple):
    """Rows of one table that are committed together with those of the other batches of the same
    write."""

    table: Table
    rows: Sequence[Row]


@lru_cache
def upsert_sql(table: Table) -> str:
    """INSERT … ON CONFLICT that changes a row only when a value changed. The join looks first: ON
    CONFLICT alone would lock, and so write, every row it leaves unchanged (measured: 2,880
    unchanged candles make no WAL at all)."""
    columns = ", ".join(table.columns)
    values = [name for name in table.columns if name not in table.key]
    if not values or table is TRADES:
        return f"INSERT INTO {table.name} ({columns}) VALUES %s ON CONFLICT DO NOTHING"
    compared = [name for name in values if name not in table.unversioned]
    differs = "({}) IS DISTINCT FROM ({})".format(
        ", ".join(f"old.{name}" for name in compared), ", ".join(f"new.{name}" for name in compared)
    )
    changed = f"{differs} AND {table.guard}" if table.guard else differs
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
    """One row of VALUES. `updated_at` is the transaction's own time: by PostgreSQL's clock, never
    after the commit."""
    return "({})".format(
        ", ".join("now()" if name == UPDATED_AT else f"%({name})s::{kind}" for name, kind in table.columns.items())
    )


def upsert(cursor: Cursor, table: Table, rows: Iterable[Row]) -> tuple[int, int]:
    """Write the rows within the cursor's transaction. Returns how many changed and how many were so
    already."""
    by_key = {tuple(row[name] for name in table.key): row for row in rows}  # one statement takes a key once
    levels = [name for name, kind in table.columns.items() if kind == LEVELS]
    unique = list(by_key.values())
    if levels:
        unique = [row | {name: Json(row[name]) for name in levels} for row in unique]
    changed = 0
    for start in range(0, len(unique), PAGE_ROWS):
        page = unique[start : start + PAGE_ROWS]
        execute_values(cursor, upsert_sql(table), page, template(table), page_size=PAGE_ROWS)
        changed += cursor.rowcount
    return changed, len(unique) - changed


class Upserts:
    """Writes batches on one connection; remembers which days of trades have a partition."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._days: set[date] = set()

    def write(self, batches: Iterable[Batch], positions: dict[str, int] | None = None) -> None:
        """Commit all batches, and the last trade id per symbol, or none. Raises psycopg2 errors."""
        counts: list[tuple[str, int, int]] = []
        batches = [batch for batch in batches if batch.rows]
        for batch in batches:
            if batch.table is TRADES:
                self._make_days({row["trade_time"].date() for row in batch.rows})
        with self._connection, self._connection.cursor() as cursor:
            for batch in batches:
                counts.append((batch.table.name, *upsert(cursor, batch.table, batch.rows)))
            for symbol, last_trade_id in (positions or {}).items():
                cursor.execute(
                    "INSERT INTO trade_positions (symbol, last_trade_id) VALUES (%s, %s) ON CONFLICT (symbol) "
                    "DO UPDATE SET last_trade_id = excluded.last_trade_id, updated_at = now()",
                    (symbol, last_trade_id),
                )
        for name, changed, unchanged in counts:
            metrics.ROWS_CHANGED.labels(name).inc(changed)
            metrics.ROWS_UNCHANGED.labels(name).inc(unchanged)

    def _make_days(self, days: set[date]) -> None:
        for day in sorted(days - self._days):
            with self._connection, self._connection.cursor() as cursor:
                cursor.execute("SELECT create_trade_day(%s)", (day,))
            self._days.add(day)

    def drop_old_days(self, kept_days: int) -> int:
        """Drop the days of trades before the last `kept_days`. Returns how many."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT drop_trade_days((now() AT TIME ZONE 'UTC')::date - %s)", (kept_days,))
            dropped = cursor.fetchone()[0]
        if dropped:
            self._days.clear()
        return dropped

    def name_source(self, name: str, base_url: str) -> None:
        """Say where the rows come from; changes nothing when it is said already."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO data_source AS old (id, name, base_url) VALUES (1, %s, %s) ON CONFLICT (id) DO UPDATE "
                "SET name = excluded.name, base_url = excluded.base_url, updated_at = now() "
                "WHERE (old.name, old.base_url) IS DISTINCT FROM (excluded.name, excluded.base_url)",
                (name, base_url),
            )

    def keep_ban(self, base_url: str, seconds: float) -> None:
        """Keep a ban of this exchange that lasts for `seconds` from now; a shorter ban never ends a
        longer one."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO exchange_ban AS old VALUES (%s, now() + %s * interval '1 second') "
                "ON CONFLICT (base_url) DO UPDATE SET banned_until = greatest(old.banned_until, excluded.banned_until)",
                (base_url, seconds),
            )

    def ban(self, base_url: str) -> float:
        """How many seconds of a ban that was kept are left; 0 without one."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM banned_until - now())::float8 FROM exchange_ban WHERE base_url = %s",
                (base_url,),
            )
            found = cursor.fetchone()
        return max(0.0, found[0]) if found else 0.0

    def trade_positions(self) -> dict[str, int]:
        """The last trade id that is stored, per symbol."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT symbol, last_trade_id FROM trade_positions")
            return dict(cursor.fetchall())

    def kline_positions(self) -> dict[tuple[str, str], Any]:
        """Per symbol and interval, the open time from which candles are to be asked for: the oldest
        one that is not closed, or the newest one when all are."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                f"SELECT symbol, interval, coalesce(min(open_time) FILTER (WHERE NOT is_closed), max(open_time)) "
                f"FROM {KLINES.name} GROUP BY symbol, interval"
            )
            return {(symbol, interval): open_time for symbol, interval, open_time in cursor.fetchall()}
