"""What the producer must still know after a restart, in PostgreSQL: up to where trades and candles
are stored, the exchange's ban, and which exchange the rows come from. Knows SQL and psycopg2."""

from collections.abc import Mapping
from datetime import datetime

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.tables import BOOKS, KLINES


def keep_trade_positions(cursor: Cursor, positions: Mapping[str, int]) -> None:
    """The last trade id per symbol, within the cursor's transaction: it is committed with the
    trades or not at all."""
    for symbol, last_trade_id in positions.items():
        cursor.execute(
            "INSERT INTO trade_positions (symbol, last_trade_id) VALUES (%s, %s) ON CONFLICT (symbol) "
            "DO UPDATE SET last_trade_id = excluded.last_trade_id, updated_at = now()",
            (symbol, last_trade_id),
        )


class State:
    """Reads and keeps it on one connection; every call is a transaction. Raises psycopg2 errors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def trade_positions(self) -> dict[str, int]:
        """The last trade id that is stored, per symbol."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT symbol, last_trade_id FROM trade_positions")
            return dict(cursor.fetchall())

    def kline_positions(self) -> dict[tuple[str, str], datetime]:
        """Per symbol and interval, the open time from which candles must be requested: the oldest
        candle that is not closed, or the newest one when all are."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                f"SELECT symbol, interval, coalesce(min(open_time) FILTER (WHERE NOT is_closed), max(open_time)) "
                f"FROM {KLINES.name} GROUP BY symbol, interval"
            )
            return {(symbol, interval): open_time for symbol, interval, open_time in cursor.fetchall()}

    def book_positions(self) -> dict[str, int]:
        """The id of the stored order book, per symbol."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(f"SELECT symbol, last_update_id FROM {BOOKS.name}")
            return dict(cursor.fetchall())

    def ban(self, base_url: str) -> float:
        """How many seconds are left of the ban that was kept for this exchange; 0 without one."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM banned_until - now())::float8 FROM exchange_ban WHERE base_url = %s",
                (base_url,),
            )
            found = cursor.fetchone()
        return max(0.0, found[0]) if found else 0.0

    def keep_ban(self, base_url: str, seconds: float) -> None:
        """Keep a ban that lasts for `seconds` from now; a shorter ban never ends a longer one."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO exchange_ban AS old (base_url, banned_until) "
                "VALUES (%s, now() + %s * interval '1 second') ON CONFLICT (base_url) "
                "DO UPDATE SET banned_until = greatest(old.banned_until, excluded.banned_until)",
                (base_url, seconds),
            )

    def source(self) -> str | None:
        """Which exchange the stored rows come from, e.g. "live: data-api.binance.vision"; None in a
        new database."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT name FROM data_source WHERE id = 1")
            found = cursor.fetchone()
        return found[0] if found else None

    def name_source(self, name: str, base_url: str) -> None:
        """Store where the rows come from; writes nothing when it is stored already."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO data_source AS old (id, name, base_url) VALUES (1, %s, %s) ON CONFLICT (id) DO UPDATE "
                "SET name = excluded.name, base_url = excluded.base_url, updated_at = now() "
                "WHERE (old.name, old.base_url) IS DISTINCT FROM (excluded.name, excluded.base_url)",
                (name, base_url),
            )
