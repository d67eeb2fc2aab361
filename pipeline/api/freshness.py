"""How old the newest row of each table is, by the row's own time, and whether that is late. A few
reads of single partitions, whatever the tables hold. Knows nothing of HTTP."""

from collections.abc import Callable, Iterable, Mapping

from pipeline.api.cache import Cache
from pipeline.api.candles import PARTITION
from pipeline.api.history import OF_HOUR, History
from pipeline.api.market import Market
from pipeline.api.max_age import ROWS_FRESH_SECONDS
from pipeline.api.paging import FIRST, LAST, Span
from pipeline.api.store import Row
from pipeline.intervals import interval_ms
from pipeline.settings import Settings
from pipeline.tables import BOOKS, KLINES, PRICES, STATS, TABLES, TRADES
from pipeline.times import now_ms

# A price that did not change is no new row, and now and then a poll fails or the way here takes
# seconds: five polls without news and ten seconds are no accident any more.
LATE_AFTER_POLLS, SLACK_SECONDS = 5, 10
WHOLE = Span(FIRST, LAST, forward=False)


class Freshness:
    """May raise StoreUnavailable."""

    def __init__(self, settings: Settings, history: History, market: Market, clock: Callable[[], int] = now_ms) -> None:
        self._history = history
        self._market = market
        self._clock = clock
        self._late_after = late_after(settings)
        self._cache: Cache[dict[str, int | None]] = Cache("rows", ROWS_FRESH_SECONDS, max_size=1)

    def rows(self) -> list[Row]:
        """One row a table, in the order of the tables."""
        return self.rows_of(self.newest())

    def rows_of(self, newest: Mapping[str, int | None]) -> list[Row]:
        """The same from times that are known already; a table that is not among them has no row."""
        now = self._clock()
        return [row_of(table, newest.get(table), now, seconds) for table, seconds in self._late_after.items()]

    def newest(self) -> dict[str, int | None]:
        """The time of the newest row of each table, of whichever symbol has it, in ms."""
        return self._cache.get_or_read("newest", self._read)

    def _read(self) -> dict[str, int | None]:
        market = self._market.rows()
        return {
            STATS.name: latest(row["stats_updated_at"] for row in market),
            PRICES.name: latest(row["price_updated_at"] for row in market),
            BOOKS.name: self._newest_hourly(BOOKS.name),
            TRADES.name: self._newest_hourly(TRADES.name),
            KLINES.name: self._newest_candle(),
        }

    def _newest_hourly(self, table: str) -> int | None:
        time = TABLES[table].time
        partitions = self._history.newest_hours(table, self._market.stored_symbols(table))
        columns = f"to_unix_timestamp({time}) AS {time}"
        parts = self._history.read(table, OF_HOUR, [(each, WHOLE) for each in partitions], False, 1, columns)
        return latest(row[time] for part in parts for row in part)

    def _newest_candle(self) -> int | None:
        """When a candle last changed: of each symbol the newest candle of its shortest interval."""
        shortest = [
            (symbol, min(intervals, key=lambda name: interval_ms(name) or float("inf")))
            for symbol, intervals in self._market.stored_intervals().items()
        ]
        columns = "to_unix_timestamp(updated_at) AS updated_at"
        parts = self._history.read(KLINES.name, PARTITION, [(each, WHOLE) for each in shortest], False, 1, columns)
        return latest(row["updated_at"] for part in parts for row in part)


def late_after(settings: Settings) -> dict[str, float]:
    """Seconds by table, from the producer's polling intervals."""
    polls = {
        STATS.name: settings.STATS_INTERVAL_SECONDS,
        PRICES.name: settings.PRICE_INTERVAL_SECONDS,
        BOOKS.name: settings.ORDER_BOOK_INTERVAL_SECONDS,
        TRADES.name: settings.TRADES_INTERVAL_SECONDS,
        KLINES.name: settings.KLINES_INTERVAL_SECONDS,
    }
    return {table: LATE_AFTER_POLLS * seconds + SLACK_SECONDS for table, seconds in polls.items()}


def latest(times: Iterable[int | None]) -> int | None:
    return max((time for time in times if time is not None), default=None)


def row_of(table: str, updated_at: int | None, now: int, late_after_seconds: float) -> Row:
    # A clock that is ahead of ours makes no row younger than now.
    age = None if updated_at is None else max(0, now - updated_at) / 1000
    late = age is None or age > late_after_seconds
    return {
        "table": table,
        "updated_at": updated_at,
        "age_seconds": age,
        "late_after_seconds": late_after_seconds,
        "late": late,
    }
