"""What each route reads, as CQL over single partitions. Rows come back ascending by time.
Knows the tables; knows nothing of HTTP."""

from collections.abc import Callable, Iterator
from heapq import merge
from operator import itemgetter

from pipeline.symbols import quote_asset
from pipeline.tables import BOOKS, DATA_SOURCE, KLINES, MARKET_NOW, PRICES, STATS, STORED_HOURS, TABLES, TRADES
from pipeline.times import hour_of
from pipeline.web.parameters import Query
from pipeline.web.store import Row, Store

# Hours looked up at a time. A quiet symbol's newest rows may be spread over many hours.
HOURS_AT_A_TIME = 48
PRICE_COLUMNS = ("symbol", "price", "updated_at")
STATS_COLUMNS = tuple(STATS.columns)


class Reads:
    """The reads behind the routes. Every method may raise StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def market(self, table: str, query: Query) -> list[Row]:
        """latest_prices or crypto_24h_stats: the history of the symbols asked for, or of all symbols the newest row."""
        if not query.symbols and not query.forward and query.to_ms is None:
            rows = self._current(table)
            rows.sort(key=itemgetter("updated_at", "symbol"))
            return rows[-query.limit :]
        symbols = query.symbols or tuple(row["symbol"] for row in self._market_now())
        return self._merged(query, TABLES[table].time, [self._by_symbol(table, symbol, query) for symbol in symbols])

    def ranking(self, query: Query) -> list[Row]:
        """24 h statistics of the whole market (or of the symbols asked for) now, by one column."""
        rows = self._current(STATS.name)
        if query.symbols:
            rows = [row for row in rows if row["symbol"] in query.symbols]
        rows = [row for row in rows if row[query.sort] is not None]
        rows.sort(key=itemgetter(query.sort, "symbol"), reverse=query.descending)
        return rows[: query.limit]

    def klines(self, query: Query) -> list[Row]:
        """Candles of one interval."""
        symbols = query.symbols or tuple(
            row["symbol"]
            for row in self._store.select("DISTINCT symbol, interval", KLINES.name)
            if row["interval"] == query.interval
        )
        parts = [
            self._range(KLINES.name, "symbol = ? AND interval = ?", (symbol, query.interval), KLINES.time, query)
            for symbol in symbols
        ]
        return self._merged(query, KLINES.time, parts)

    def hourly(self, table: str, query: Query) -> list[Row]:
        """order_book or recent_trades: partitions of a symbol and an hour, opened one after the other until there
        are rows enough."""
        symbols = query.symbols or self._stored_symbols(table)
        return self._merged(query, TABLES[table].time, [self._hours_of(table, symbol, query) for symbol in symbols])

    def symbols(self) -> list[Row]:
        """Every symbol with its quote asset, which tables track it, and where the data come from."""
        source = next(iter(self._store.select("name, base_url", DATA_SOURCE)), {"name": None, "base_url": None})
        tracked = set(self._stored_symbols(BOOKS.name)) | set(self._stored_symbols(TRADES.name))
        tracked |= {row["symbol"] for row in self._store.select("DISTINCT symbol, interval", KLINES.name)}
        listed = {row["symbol"] for row in self._market_now()}
        return [
            {
                "symbol": symbol,
                "quote_asset": quote_asset(symbol),
                "tracked": symbol in tracked,
                "source": source["name"],
                "source_url": source["base_url"],
            }
            for symbol in sorted(listed | tracked)
        ]

    def _current(self, table: str) -> list[Row]:
        """One row a symbol from market_now, in the shape of the history table."""
        if table == PRICES.name:
            names = {name: name for name in PRICE_COLUMNS} | {"updated_at": "price_updated_at"}
        else:
            names = {name: name for name in STATS_COLUMNS} | {"updated_at": "stats_updated_at"}
        rows = [{name: row[stored] for name, stored in names.items()} for row in self._market_now()]
        return [row for row in rows if row["updated_at"] is not None]

    def _market_now(self) -> list[Row]:
        columns = self._store.columns_of(MARKET_NOW)
        rows: list[Row] = []
        for quote in self._store.select("DISTINCT quote_asset", MARKET_NOW):
            rows += self._store.select(columns, MARKET_NOW, "WHERE quote_asset = ?", (quote["quote_asset"],))
        return rows

    def _stored_symbols(self, table: str) -> tuple[str, ...]:
        rows = self._store.select("DISTINCT table_name, symbol", STORED_HOURS)
        return tuple(row["symbol"] for row in rows if row["table_name"] == table)

    def _by_symbol(self, table: str, symbol: str, query: Query) -> list[Row]:
        return self._range(table, "symbol = ?", (symbol,), TABLES[table].time, query)

    def _hours_of(self, table: str, symbol: str, query: Query) -> list[Row]:
        rows: list[Row] = []
        for hour in self._hours(table, symbol, query):
            partition = "symbol = ? AND hour = ?"
            part = self._range(table, partition, (symbol, hour), TABLES[table].time, query, query.limit - len(rows))
            rows = rows + part if query.forward else part + rows
            if len(rows) >= query.limit:
                break
        return rows

    def _hours(self, table: str, symbol: str, query: Query) -> Iterator[int]:
        """The hours that hold rows, in the direction of the query."""
        first = 0 if query.from_ms is None else hour_of(query.from_ms)
        last = 2**62 if query.to_ms is None else query.to_ms
        order = "ASC" if query.forward else "DESC"
        while True:
            found = self._store.select(
                "to_unix_timestamp(hour) AS hour",
                STORED_HOURS,
                f"WHERE table_name = ? AND symbol = ? AND hour >= ? AND hour < ? ORDER BY hour {order} LIMIT ?",
                (table, symbol, first, last, HOURS_AT_A_TIME),
            )
            yield from (row["hour"] for row in found)
            if len(found) < HOURS_AT_A_TIME:
                return
            if query.forward:
                first = found[-1]["hour"] + 1
            else:
                last = found[-1]["hour"]

    def _range(
        self, table: str, partition: str, values: tuple, time: str, query: Query, limit: int | None = None
    ) -> list[Row]:
        """Rows of one partition between from and to, ascending."""
        where, bound = [f"WHERE {partition}"], list(values)
        if query.from_ms is not None:
            where.append(f"AND {time} >= ?")
            bound.append(query.from_ms)
        if query.to_ms is not None:
            where.append(f"AND {time} < ?")
            bound.append(query.to_ms)
        if query.forward:
            where.append(f"ORDER BY {time} ASC")
        bound.append(query.limit if limit is None else limit)
        rows = self._store.select(self._store.columns_of(table), table, " ".join([*where, "LIMIT ?"]), bound)
        return rows if query.forward else rows[::-1]

    @staticmethod
    def _merged(query: Query, time: str, parts: list[list[Row]]) -> list[Row]:
        order: Callable[[Row], tuple] = itemgetter(time, "symbol")
        rows = parts[0] if len(parts) == 1 else list(merge(*parts, key=order))
        return rows[: query.limit] if query.forward else rows[-query.limit :]
