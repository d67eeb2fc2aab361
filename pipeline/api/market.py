"""The market as it is now: rankings, the summary, the list of symbols, whichever store they are
read from. Knows nothing of HTTP, Cassandra or Redis."""

from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter

from pipeline.api.cassandra_state import CassandraState
from pipeline.api.current_state import CurrentState
from pipeline.api.exact import exact_sum
from pipeline.api.instruments import UNKNOWN
from pipeline.api.query import Query
from pipeline.api.redis_reader import RedisReader
from pipeline.api.store import Row
from pipeline.symbols import ascii_name, quote_asset
from pipeline.tables import PRICES, STATS, Table


class MarketNow:
    """One moment of the market, from one store. Every method may raise StoreUnavailable."""

    def __init__(self, state: CurrentState) -> None:
        self._state = state
        self.store = state.store

    def newest(self, table: Table, query: Query) -> list[Row]:
        """latest_prices or crypto_24h_stats: the newest row of every symbol, in the shape of the
        history table."""
        rows = self._requested(self._state.rows_of(table), query)
        rows.sort(key=itemgetter("updated_at", "symbol"))
        return rows[-query.limit :]

    def ranking(self, query: Query, column: str) -> list[Row]:
        """Current 24 h statistics of the whole market (or of the requested symbols), sorted by
        `column`."""
        rows = [row for row in self._requested(self._state.rows_of(STATS), query) if row[column] is not None]
        rows.sort(key=itemgetter(column, "symbol"), reverse=query.descending)
        return rows[: query.limit]

    def summary(self, query: Query) -> list[Row]:
        """One row per quote asset."""
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in self._state.rows_of(STATS):
            quote = quote_asset(row["symbol"])
            if query.quote_asset in (None, quote):
                groups[quote].append(row)
        return [summary_of(quote, groups[quote]) for quote in sorted(groups)]

    def symbols(self, query: Query) -> list[Row]:
        """Every symbol with its quote asset, whether it is tracked, the steps of its prices and
        quantities, and the source of the data."""
        source, tracked, instruments = self._state.source(), self._state.tracked(), self._state.instruments()
        return [
            {
                "symbol": symbol,
                "quote_asset": quote_asset(symbol),
                "tracked": symbol in tracked,
                "live_name": ascii_name(symbol),
                **instruments.get(symbol, UNKNOWN)._asdict(),
                "source": source["name"],
                "source_url": source["base_url"],
            }
            for symbol in self._names(self._listed() | tracked, query)
        ]

    def listed(self, query: Query) -> tuple[str, ...]:
        """Every symbol of the market, or of the requested quote asset."""
        return self._names(self._listed(), query)

    def _listed(self) -> set[str]:
        return {row["symbol"] for table in (PRICES, STATS) for row in self._state.rows_of(table)}

    def _names(self, symbols: Iterable[str], query: Query) -> tuple[str, ...]:
        """The requested ones of these symbols, sorted."""
        return tuple(row["symbol"] for row in self._requested(({"symbol": name} for name in sorted(symbols)), query))

    def _requested(self, rows: Iterable[Row], query: Query) -> list[Row]:
        """The rows of the requested symbols."""
        found = of_symbols(rows, query)
        if query.tracked is None:
            return found
        tracked = self._state.tracked()
        return [row for row in found if (row["symbol"] in tracked) is query.tracked]


class Market:
    """Where the current state comes from: Redis while it is complete and up to date, else
    Cassandra."""

    def __init__(self, stored: CassandraState, redis: RedisReader | None) -> None:
        self.stored = stored
        self.redis = redis

    def state(self) -> CurrentState:
        return (self.redis.read() if self.redis else None) or self.stored

    def now(self) -> MarketNow:
        return MarketNow(self.state())


def of_symbols(rows: Iterable[Row], query: Query) -> list[Row]:
    """The rows of the requested symbols and quote asset."""
    wanted, quote = frozenset(query.symbols), query.quote_asset
    return [
        row
        for row in rows
        if (not wanted or row["symbol"] in wanted) and (quote is None or quote_asset(row["symbol"]) == quote)
    ]


def summary_of(quote: str, rows: list[Row]) -> Row:
    changes = [row["price_change"] or 0 for row in rows]
    return {
        "quote_asset": quote,
        "symbols": len(rows),
        "rising": sum(change > 0 for change in changes),
        "falling": sum(change < 0 for change in changes),
        "unchanged": sum(change == 0 for change in changes),
        "quote_volume": exact_sum(row["quote_volume"] or 0 for row in rows),
        "trade_count": sum(row["trade_count"] or 0 for row in rows),
        "updated_at": max(row["updated_at"] for row in rows),
    }
