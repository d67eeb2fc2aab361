"""How old the newest row of each table is, by the time stored in the row, and whether it is late:
in Cassandra, and beside it in Redis. A few reads of single partitions, however many rows the tables
hold. Knows nothing of HTTP."""

from collections.abc import Callable, Iterable, Mapping

from pipeline.api.cache import Cache
from pipeline.api.cassandra_state import CassandraState
from pipeline.api.current_state import CurrentState
from pipeline.api.exact import rounded
from pipeline.api.history import OF_HOUR, OF_INTERVAL, History
from pipeline.api.max_age import ROWS_FRESH_SECONDS
from pipeline.api.paging import FIRST, LAST, Span
from pipeline.api.redis_reader import RedisReader
from pipeline.api.store import Row
from pipeline.errors import StoreUnavailable
from pipeline.intervals import max_interval_ms
from pipeline.settings import Settings
from pipeline.tables import BOOKS, KLINES, PRICES, STATS, TABLES, TRADES, Table
from pipeline.times import now_ms

# A table is late after five polls and ten seconds without a new row: an unchanged value makes no
# row, a single poll may fail, and the pipeline may take seconds.
LATE_AFTER_POLLS = 5
SLACK_SECONDS = 10
NEWEST_FIRST = Span(FIRST, LAST, forward=False)


class Freshness:
    """May raise StoreUnavailable."""

    def __init__(
        self,
        settings: Settings,
        history: History,
        stored: CassandraState,
        redis: RedisReader | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._history = history
        self._stored = stored
        self._redis = redis
        self._clock = clock
        self._late_after = late_after(settings)
        self._cache: Cache[dict[str, int | None]] = Cache("rows", ROWS_FRESH_SECONDS, max_size=1)

    def rows(self) -> list[Row]:
        """One row per table, with its age in both stores. While Cassandra is unavailable and Redis
        answers, every table is late in Cassandra."""
        current = self._redis.read() if self._redis else None
        try:
            newest = self.newest()
        except StoreUnavailable:
            if current is None:
                raise
            newest = {}
        return self.rows_of(newest, newest_in(current) if current else {})

    def rows_of(self, newest: Mapping[str, int | None], redis: Mapping[str, int | None] | None = None) -> list[Row]:
        """The same from times that were read earlier; a table that is missing there has no row."""
        now, redis = self._clock(), redis or {}
        return [
            row_of(table, newest.get(table), now, seconds) | {"redis_age_seconds": age_seconds(redis.get(table), now)}
            for table, seconds in self._late_after.items()
        ]

    def newest(self) -> dict[str, int | None]:
        """The time in ms of the newest row of any symbol, by table."""
        return self._cache.get_or_read("newest", self._read)

    def _read(self) -> dict[str, int | None]:
        return {
            **newest_in(self._stored),
            BOOKS.name: self._newest_hourly(BOOKS),
            TRADES.name: self._newest_hourly(TRADES),
            KLINES.name: self._newest_candle(),
        }

    def _newest_hourly(self, table: Table) -> int | None:
        partitions = self._history.newest_hours(table, self._stored.stored_symbols(table))
        return self._newest(table, OF_HOUR, partitions, table.time)

    def _newest_candle(self) -> int | None:
        """When a candle last changed, from the newest candle of each symbol's shortest interval."""
        shortest = [
            (symbol, min(intervals, key=max_interval_ms))
            for symbol, intervals in self._stored.stored_intervals().items()
        ]
        return self._newest(KLINES, OF_INTERVAL, shortest, "updated_at")

    def _newest(self, table: Table, where: str, partitions: Iterable[tuple[str, object]], time: str) -> int | None:
        """The latest `time` among the newest rows of the partitions."""
        parts = [(values, NEWEST_FIRST) for values in partitions]
        found = self._history.read(table, where, parts, False, 1, time)
        return latest(row[time] for rows in found for row in rows)


def late_after(settings: Settings) -> dict[str, float]:
    """Seconds by table, from the producer's polling intervals."""
    return {
        name: rounded(LATE_AFTER_POLLS * getattr(settings, table.poll_setting) + SLACK_SECONDS)
        for name, table in TABLES.items()
    }


def newest_in(state: CurrentState) -> dict[str, int | None]:
    """The time in ms of the newest current row, by table."""
    return {table.name: latest(row["updated_at"] for row in state.rows_of(table)) for table in (STATS, PRICES)}


def latest(times: Iterable[int | None]) -> int | None:
    return max((time for time in times if time is not None), default=None)


def age_seconds(updated_at: int | None, now: int) -> float | None:
    """The exchange's clock may be ahead of this machine's; an age is never negative."""
    return None if updated_at is None else max(0, now - updated_at) / 1000


def row_of(table: str, updated_at: int | None, now: int, late_after_seconds: float) -> Row:
    age = age_seconds(updated_at, now)
    late = age is None or age > late_after_seconds
    return {
        "table": table,
        "updated_at": updated_at,
        "age_seconds": age,
        "late_after_seconds": late_after_seconds,
        "late": late,
    }
