"""What each path answers: a query in, rows out. How rows are read is in market.py, history.py,
candles.py and downsampling/; which parameters a path takes is in route_specs.py. Knows nothing of
Flask."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

from pipeline.api import metrics
from pipeline.api.books import shown
from pipeline.api.candles.pages import Candles
from pipeline.api.cassandra_state import CassandraState
from pipeline.api.current_state import ANSWERED_FROM
from pipeline.api.depth import cut, depth
from pipeline.api.downsampling.aggregate import AggregatePerBucket
from pipeline.api.downsampling.last_per_bucket import LastPerBucket
from pipeline.api.downsampling.sampling import Downsampled
from pipeline.api.fields import TEXT_SUFFIX
from pipeline.api.freshness import Freshness
from pipeline.api.history import History, Page
from pipeline.api.instruments import Instruments
from pipeline.api.market import Market, MarketNow
from pipeline.api.mirrored_tables import MirroredTables
from pipeline.api.moving_averages import LENGTHS, LONGEST, with_averages
from pipeline.api.query import Query
from pipeline.api.redis_reader import OK, RedisReader
from pipeline.api.responses import EncodedResponse, Rows
from pipeline.api.store import CurrentStateOnly, Row, Store
from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings
from pipeline.tables import BOOKS, FORECASTS, KLINES, PRICES, STATS, TRADES, Table
from pipeline.times import now_ms

Arguments = Sequence[tuple[str, str]]
Handler = Callable[[Query, Arguments], Rows | EncodedResponse]


class Routes:
    """The handlers of the routes that read from the store. All may raise StoreUnavailable; klines
    also BadParameter."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._stored = CassandraState(store)
        self._redis = RedisReader(settings) if settings.REDIS_URL else None
        self.market = Market(self._stored, self._redis)
        self.instruments = Instruments(lambda: self.market.state().instruments())
        self._history = History(store)
        self._candles = Candles(self._history, self._stored)
        self._aggregate_per_bucket = AggregatePerBucket(self._history)
        self._last_per_bucket = LastPerBucket(self._history)
        self.freshness = Freshness(settings, self._history, self._stored, self._redis)
        self.mirrored = MirroredTables(store)

    def handlers(self) -> dict[str, Handler]:
        """The handlers by path."""
        return {
            f"/{STATS.name}": self.crypto_24h_stats,
            f"/{PRICES.name}": self.latest_prices,
            f"/{BOOKS.name}": self.order_book,
            f"/{TRADES.name}": self.recent_trades,
            f"/{KLINES.name}": self.klines,
            f"/{FORECASTS.name}": self.forecasts,
            "/depth": self.depth,
            "/market_summary": lambda query, _: self._current(lambda now: now.summary(query)),
            "/symbols": lambda query, _: self._current(lambda now: now.symbols(query)),
            "/freshness": lambda query, _: Rows(self.freshness.rows()),
            "/tables": lambda query, _: Rows(self.mirrored.rows()),
            "/health": self.health,
        }

    def crypto_24h_stats(self, query: Query, arguments: Arguments) -> Rows:
        if query.sort:
            column = query.sort
            return self._current(lambda now: now.ranking(query, column))
        if query.points:
            return downsampled(self._last_per_bucket.downsample(STATS, query), query)
        return self._market_history(STATS, query, arguments)

    def latest_prices(self, query: Query, arguments: Arguments) -> Rows:
        if query.points:
            return downsampled(self._aggregate_per_bucket.downsample(PRICES, query), query)
        return self._market_history(PRICES, query, arguments)

    def order_book(self, query: Query, arguments: Arguments) -> Rows:
        if query.points:
            books = self._last_per_bucket.downsample(BOOKS, query)
            return downsampled(books._replace(rows=shown(books.rows, query.levels)), query)
        found = self._hourly(BOOKS, query)
        return paged(f"/{BOOKS.name}", found._replace(rows=shown(found.rows, query.levels)), arguments)

    def recent_trades(self, query: Query, arguments: Arguments) -> Rows:
        if query.points:
            return downsampled(self._aggregate_per_bucket.downsample(TRADES, query), query)
        return paged(f"/{TRADES.name}", self._hourly(TRADES, query), arguments)

    def klines(self, query: Query, arguments: Arguments) -> Rows:
        if query.points:
            candles = downsampled(self._candles.downsample(query, now_ms()), query)
        else:
            candles = paged(f"/{KLINES.name}", self._candles.page(query), arguments)
        names = [name for name in query.fields if name.removesuffix(TEXT_SUFFIX) in LENGTHS]
        return self._with_averages(candles, {name.removesuffix(TEXT_SUFFIX) for name in names}) if names else candles

    def forecasts(self, query: Query, arguments: Arguments) -> Rows:
        if query.points:
            return downsampled(self._last_per_bucket.downsample(FORECASTS, query), query)
        symbols = query.symbols or self._stored.forecast_symbols(query.horizon)
        return paged(f"/{FORECASTS.name}", self._history.by_symbol(FORECASTS, symbols, query), arguments)

    def _with_averages(self, candles: Rows, names: Iterable[str]) -> Rows:
        """The candles with moving averages, for which those before the first one are read too."""
        firsts: dict[str, Row] = {}
        for row in candles.rows:
            firsts.setdefault(row["symbol"], row)
        earlier: list[Row] = []
        for symbol, row in firsts.items():
            before = Query(symbols=(symbol,), interval=row["interval"], to_ms=row["open_time"], limit=LONGEST - 1)
            earlier += self._candles.page(before).rows
        price_decimals = {symbol: self.instruments.of(symbol).price_decimals for symbol in firsts}
        return candles._replace(rows=with_averages(candles.rows, earlier, names, price_decimals.__getitem__))

    def depth(self, query: Query, arguments: Arguments) -> Rows:
        newest = self._history.by_hour(BOOKS, query.symbols, Query(limit=1)).rows
        return Rows([row for book in cut(newest, query.levels) for row in depth(book)])

    def health(self, query: Query, arguments: Arguments) -> EncodedResponse:
        """Of both stores. Raises StoreUnavailable when Cassandra does not answer."""
        if self._redis is not None:
            self._redis.read()
        redis = self._redis.status if self._redis else "off"
        try:
            self._store.check()
        except StoreUnavailable as error:
            if redis != OK:
                raise
            raise CurrentStateOnly(str(error)) from error
        return EncodedResponse.of_object({"status": "ok", "cassandra": "ok", "redis": redis})

    def _current(self, answer: Callable[[MarketNow], list[Row]]) -> Rows:
        now = self.market.now()
        rows = answer(now)
        metrics.CURRENT_STATE_READS.labels(now.store).inc()
        return Rows(rows, {ANSWERED_FROM: now.store})

    def _market_history(self, table: Table, query: Query, arguments: Arguments) -> Rows:
        """With symbols or a range the history, else the newest row of every symbol."""
        if query.is_current and query.cursor is None:
            return self._current(lambda now: now.newest(table, query))
        symbols = query.symbols or self.market.now().listed(query)
        return paged(f"/{table.name}", self._history.by_symbol(table, symbols, query), arguments)

    def _hourly(self, table: Table, query: Query) -> Page:
        return self._history.by_hour(table, query.symbols or self._stored.stored_symbols(table), query)


def paged(path: str, found: Page, arguments: Arguments) -> Rows:
    """Rows, and a Link header to the next page if there is one. The link is a path, so that clients
    that put it behind the API's address work as well as those that resolve it."""
    if found.next is None:
        return Rows(found.rows)
    others = [(name, value) for name, value in arguments if name != "cursor"]
    url = f"{path}?{urlencode([*others, ('cursor', str(found.next))], safe=':,')}"
    return Rows(found.rows, {"Link": f'<{url}>; rel="next"'})


def downsampled(found: Downsampled, query: Query) -> Rows:
    """At most `points` rows, even if there are more symbols than points."""
    rows = found.rows[-query.max_rows :]
    if found.complete_from is None:
        return Rows(rows)
    return Rows(rows, {"X-Complete-From": str(found.complete_from)})
