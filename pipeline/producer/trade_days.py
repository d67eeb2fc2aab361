"""The daily partitions of recent_trades: made before the first trade of a day is written, dropped
when they are older than the retention. Knows SQL and psycopg2."""

from collections.abc import Iterable
from datetime import date

from psycopg2.extensions import connection as Connection


class TradeDays:
    """Remembers which days have a partition, for as long as the connection lasts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._made: set[date] = set()

    def make(self, days: Iterable[date]) -> None:
        for day in sorted(set(days) - self._made):
            with self._connection, self._connection.cursor() as cursor:
                cursor.execute("SELECT create_trade_day(%s)", (day,))
            self._made.add(day)

    def drop_old(self, kept_days: int) -> int:
        """Drop the days before the last `kept_days`. Returns how many were dropped."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT drop_trade_days((now() AT TIME ZONE 'UTC')::date - %s)", (kept_days,))
            dropped: int = cursor.fetchone()[0]
        if dropped:
            self._made.clear()
        return dropped
