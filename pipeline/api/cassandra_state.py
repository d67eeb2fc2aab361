"""The current state in Cassandra: the whole market from market_now, which symbols are tracked,
which candle intervals are stored. Small reads, cached because many requests need them. Knows
nothing of HTTP."""

from collections import defaultdict
from collections.abc import Mapping

from pipeline.api.cache import Cache
from pipeline.api.current_state import CASSANDRA
from pipeline.api.instruments import FRESH_SECONDS, Instrument, instruments_of
from pipeline.api.max_age import ROWS_FRESH_SECONDS
from pipeline.api.store import Row, Store
from pipeline.tables import (
    BOOKS,
    DATA_SOURCE,
    FORECASTS,
    INSTRUMENTS,
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
UNKNOWN_SOURCE = {"name": None, "base_url": None}


class CassandraState:
    """A CurrentState. Every method may raise StoreUnavailable. The rows are cached and shared
    between requests: do not change them."""

    store = CASSANDRA

    def __init__(self, store: Store) -> None:
        self._store = store
        self._market: Cache[Mapping[str, list[Row]]] = Cache("rows", ROWS_FRESH_SECONDS, max_size=1)
        self._cache: Cache[list[Row]] = Cache("rows", ROWS_FRESH_SECONDS, max_size=16)
        self._instruments: Cache[Mapping[str, Instrument]] = Cache("rows", FRESH_SECONDS, max_size=1)

    def rows_of(self, table: Table) -> list[Row]:
        return self._market.get_or_read(MARKET_NOW, self._read_market)[table.name]

    def tracked(self) -> set[str]:
        return {*self.stored_symbols(BOOKS), *self.stored_symbols(TRADES), *self.stored_intervals()}

    def instruments(self) -> Mapping[str, Instrument]:
        return self._instruments.get_or_read(INSTRUMENTS.name, self._read_instruments)

    def source(self) -> Row:
        return next(iter(self._store.select("name, base_url", DATA_SOURCE)), UNKNOWN_SOURCE)

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

    def _read_stored_symbols(self) -> list[Row]:
        return self._store.select("DISTINCT table_name, symbol", STORED_HOURS)

    def _read_stored_intervals(self) -> list[Row]:
        return self._store.select("DISTINCT symbol, interval", KLINES.name)

    def _read_forecast_symbols(self) -> list[Row]:
        return self._store.select("DISTINCT symbol, horizon", FORECASTS.name)

    def _read_instruments(self) -> Mapping[str, Instrument]:
        return instruments_of(self._store.select(self._store.columns_of(INSTRUMENTS.name), INSTRUMENTS.name))

    def _read_market(self) -> Mapping[str, list[Row]]:
        """The current rows in the shape of each history table, by its name."""
        quotes = self._store.select("DISTINCT quote_asset", MARKET_NOW)
        values = [(row["quote_asset"],) for row in quotes]
        parts = self._store.select_many(self._store.columns_of(MARKET_NOW), MARKET_NOW, "WHERE quote_asset = ?", values)
        rows = [row for part in parts for row in part]
        return {table: renamed(rows, columns) for table, columns in COLUMNS_IN_MARKET_NOW.items()}


def renamed(rows: list[Row], columns: Mapping[str, str]) -> list[Row]:
    """The rows with these columns, by the names that they are stored under; without those that have
    no time."""
    stored_time = columns["updated_at"]
    return [{name: row[stored] for name, stored in columns.items()} for row in rows if row[stored_time] is not None]
