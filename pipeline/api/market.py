"""The current state: the whole market from market_now, which symbols are tracked, which candle
intervals are stored. Small reads, cached because many requests need them. Knows nothing of HTTP."""

from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter

from pipeline.api.cache import Cache
from pipeline.api.exact import exact_sum
from pipeline.api.instruments import UNKNOWN, Instruments
from pipeline.api.max_age import ROWS_FRESH_SECONDS
from pipeline.api.query import Query
from pipeline.api.store import Row, Store
from pipeline.symbols import ascii_name, quote_asset
from pipeline.tables import (
    BOOKS,
    DATA_SOURCE,
    FORECASTS,
    KLINES,
    MARKET_NOW,
    PRICES,
    STATS,
    STORED_HOURS,
    TRADES,
    Table,
)

# The columns of market_now by the names that they have in the history tables.
COLUMNS_IN_MARKET_NOW = {
    PRICES.name: {name: name for name in PRICES.columns} | {"updated_at": "price_updated_at"},
    STATS.name: {name: name for name in STATS.columns} | {"updated_at": "stats_updated_at"},
}


class Market:
    """Current state. Every method may raise StoreUnavailable. The rows are cached and shared
    between requests: do not change them."""

    def __init__(self, store: Store, instruments: Instruments) -> None:
        self._store = store
        self._instruments = instruments
        self._cache: Cache[list[Row]] = Cache("rows", ROWS_FRESH_SECONDS, max_size=16)

    def current(self, table: Table, query: Query) -> list[Row]:
        """latest_prices or crypto_24h_stats: the newest row of every symbol, in the shape of the
        history table."""
        rows = self._requested(self._rows_of(table), query)
        rows.sort(key=itemgetter("updated_at", "symbol"))
        return rows[-query.limit :]

    def ranking(self, query: Query, column: str) -> list[Row]:
        """Current 24 h statistics of the whole market (or of the requested symbols), sorted by
        `column`."""
        rows = [row for row in self._requested(self._rows_of(STATS), query) if row[column] is not None]
        rows.sort(key=itemgetter(column, "symbol"), reverse=query.descending)
        return rows[: query.limit]

    def summary(self, query: Query) -> list[Row]:
        """One row per quote asset."""
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows():
            if row["stats_updated_at"] is not None and query.quote_asset in (None, row["quote_asset"]):
                groups[row["quote_asset"]].append(row)
        return [summary_of(quote, groups[quote]) for quote in sorted(groups)]

    def symbols(self, query: Query) -> list[Row]:
        """Every symbol with its quote asset, whether it is tracked, the steps of its prices and
        quantities, and the source of the data."""
        source = next(iter(self._store.select("name, base_url", DATA_SOURCE)), {"name": None, "base_url": None})
        tracked, instruments = self.tracked(), self._instruments.by_symbol()
        rows = [
            {
                "symbol": symbol,
                "quote_asset": quote_asset(symbol),
                "tracked": symbol in tracked,
                "live_name": ascii_name(symbol),
                **instruments.get(symbol, UNKNOWN)._asdict(),
                "source": source["name"],
                "source_url": source["base_url"],
            }
            for symbol in sorted({row["symbol"] for row in self.rows()} | tracked)
        ]
        return self._requested(rows, query)

    def listed(self, query: Query) -> tuple[str, ...]:
        """Every symbol of the market, or of the requested quote asset."""
        return tuple(sorted(row["symbol"] for row in self._requested(self.rows(), query)))

    def tracked(self) -> set[str]:
        """Symbols with trades, books or candles."""
        return {*self.stored_symbols(BOOKS), *self.stored_symbols(TRADES), *self.stored_intervals()}

    def stored_symbols(self, table: Table) -> tuple[str, ...]:
        """Symbols that have rows in `table`, one that is partitioned by hour."""
        rows = self._cache.get_or_read(STORED_HOURS, self._read_stored_symbols)
        return tuple(sorted(row["symbol"] for row in rows if row["table_name"] == table.name))

    def stored_intervals(self) -> dict[str, set[str]]:
        """Candle intervals by symbol."""
        found: dict[str, set[str]] = defaultdict(set)
        for row in self._cache.get_or_read(KLINES.name, self._read_stored_intervals):
            found[row["symbol"]].add(row["interval"])
        return dict(found)

    def forecast_symbols(self, horizon: str) -> tuple[str, ...]:
        """Symbols that have forecasts of this horizon."""
        rows = self._cache.get_or_read(FORECASTS.name, self._read_forecast_symbols)
        return tuple(sorted(row["symbol"] for row in rows if row["horizon"] == horizon))

    def rows(self) -> list[Row]:
        """The rows of market_now for all quote assets, as stored."""
        return self._cache.get_or_read(MARKET_NOW, self._read_market)

    def _requested(self, rows: Iterable[Row], query: Query) -> list[Row]:
        """The rows of the requested symbols."""
        found = of_symbols(rows, query)
        if query.tracked is None:
            return found
        tracked = self.tracked()
        return [row for row in found if (row["symbol"] in tracked) is query.tracked]

    def _read_stored_symbols(self) -> list[Row]:
        return self._store.select("DISTINCT table_name, symbol", STORED_HOURS)

    def _read_stored_intervals(self) -> list[Row]:
        return self._store.select("DISTINCT symbol, interval", KLINES.name)

    def _read_forecast_symbols(self) -> list[Row]:
        return self._store.select("DISTINCT symbol, horizon", FORECASTS.name)

    def _read_market(self) -> list[Row]:
        quotes = self._store.select("DISTINCT quote_asset", MARKET_NOW)
        values = [(row["quote_asset"],) for row in quotes]
        parts = self._store.select_many(self._store.columns_of(MARKET_NOW), MARKET_NOW, "WHERE quote_asset = ?", values)
        return [row for part in parts for row in part]

    def _rows_of(self, table: Table) -> list[Row]:
        names = COLUMNS_IN_MARKET_NOW[table.name]
        rows = [{name: row[stored] for name, stored in names.items()} for row in self.rows()]
        return [row for row in rows if row["updated_at"] is not None]


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
        "updated_at": max(row["stats_updated_at"] for row in rows),
    }
