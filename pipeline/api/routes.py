"""What each path answers: a query in, rows out. How rows are read is in market.py, history.py,
candles.py and downsampling/; which parameters a path takes is in route_specs.py. Knows nothing of
Flask."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from pipeline.api.candles import Candles
from pipeline.api.depth import cut, depth
from pipeline.api.downsampling.aggregate import AggregatePerBucket
from pipeline.api.downsampling.last_per_bucket import LastPerBucket
from pipeline.api.downsampling.sampling import Downsampled
from pipeline.api.freshness import Freshness
from pipeline.api.history import History, Page
from pipeline.api.market import Market
from pipeline.api.mirrored_tables import MirroredTables
from pipeline.api.query import Query
from pipeline.api.responses import EncodedResponse
from pipeline.api.store import Store
from pipeline.settings import Settings
from pipeline.tables import BOOKS, FORECASTS, KLINES, PRICES, STATS, TRADES, Table
from pipeline.times import now_ms

Arguments = Sequence[tuple[str, str]]
Handler = Callable[[Query, Arguments], EncodedResponse]


class Routes:
    """The handlers of the routes that read from the store. All may raise StoreUnavailable; klines
    also BadParameter."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self.market = Market(store)
        self._history = History(store)
        self._candles = Candles(self._history, self.market)
        self._aggregate_per_bucket = AggregatePerBucket(self._history)
        self._last_per_bucket = LastPerBucket(self._history)
        self.freshness = Freshness(settings, self._history, self.market)
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
            "/market_summary": lambda query, _: EncodedResponse.of_rows(self.market.summary(query)),
            "/symbols": lambda query, _: EncodedResponse.of_rows(self.market.symbols(query)),
            "/freshness": lambda query, _: EncodedResponse.of_rows(self.freshness.rows()),
            "/tables": lambda query, _: EncodedResponse.of_rows(self.mirrored.rows()),
            "/health": self.health,
        }

    def crypto_24h_stats(self, query: Query, arguments: Arguments) -> EncodedResponse:
        if query.sort:
            return EncodedResponse.of_rows(self.market.ranking(query, query.sort))
        if query.points:
            return downsampled(self._last_per_bucket.downsample(STATS, query), query)
        return self._market_history(STATS, query, arguments)

    def latest_prices(self, query: Query, arguments: Arguments) -> EncodedResponse:
        if query.points:
            return downsampled(self._aggregate_per_bucket.downsample(PRICES, query), query)
        return self._market_history(PRICES, query, arguments)

    def order_book(self, query: Query, arguments: Arguments) -> EncodedResponse:
        if query.points:
            books = self._last_per_bucket.downsample(BOOKS, query)
            return downsampled(books._replace(rows=cut(books.rows, query.levels)), query)
        found = self._hourly(BOOKS, query)
        return paged(f"/{BOOKS.name}", found._replace(rows=cut(found.rows, query.levels)), arguments)

    def recent_trades(self, query: Query, arguments: Arguments) -> EncodedResponse:
        if query.points:
            return downsampled(self._aggregate_per_bucket.downsample(TRADES, query), query)
        return paged(f"/{TRADES.name}", self._hourly(TRADES, query), arguments)

    def klines(self, query: Query, arguments: Arguments) -> EncodedResponse:
        if query.points:
            return downsampled(self._candles.downsample(query, now_ms()), query)
        return paged(f"/{KLINES.name}", self._candles.page(query), arguments)

    def forecasts(self, query: Query, arguments: Arguments) -> EncodedResponse:
        if query.points:
            return downsampled(self._last_per_bucket.downsample(FORECASTS, query), query)
        symbols = query.symbols or self.market.forecast_symbols(query.horizon)
        return paged(f"/{FORECASTS.name}", self._history.by_symbol(FORECASTS, symbols, query), arguments)

    def depth(self, query: Query, arguments: Arguments) -> EncodedResponse:
        newest = self._history.by_hour(BOOKS, query.symbols, Query(limit=1)).rows
        return EncodedResponse.of_rows([row for book in cut(newest, query.levels) for row in depth(book)])

    def health(self, query: Query, arguments: Arguments) -> EncodedResponse:
        self._store.check()
        return EncodedResponse.of_object({"status": "ok"})

    def _market_history(self, table: Table, query: Query, arguments: Arguments) -> EncodedResponse:
        """With symbols or a range the history, else the newest row of every symbol."""
        if query.is_current and query.cursor is None:
            return EncodedResponse.of_rows(self.market.current(table, query))
        symbols = query.symbols or self.market.listed(query)
        return paged(f"/{table.name}", self._history.by_symbol(table, symbols, query), arguments)

    def _hourly(self, table: Table, query: Query) -> Page:
        return self._history.by_hour(table, query.symbols or self.market.stored_symbols(table), query)


def paged(path: str, found: Page, arguments: Arguments) -> EncodedResponse:
    """Rows, and a Link header to the next page if there is one. The link is a path, so that clients
    that put it behind the API's address work as well as those that resolve it."""
    if found.next is None:
        return EncodedResponse.of_rows(found.rows)
    others = [(name, value) for name, value in arguments if name != "cursor"]
    url = f"{path}?{urlencode([*others, ('cursor', str(found.next))], safe=':,')}"
    return EncodedResponse.of_rows(found.rows, Link=f'<{url}>; rel="next"')


def downsampled(found: Downsampled, query: Query) -> EncodedResponse:
    """At most `points` rows, even if there are more symbols than points."""
    rows = found.rows[-query.max_rows :]
    if found.complete_from is None:
        return EncodedResponse.of_rows(rows)
    return EncodedResponse.of_rows(rows, X_Complete_From=str(found.complete_from))
