"""Rows of the history tables, page by page, over single partitions. Each symbol is a stream that
reads on only when its rows are used up; the streams are merged until a page is full. Knows the
tables' keys; knows nothing of HTTP."""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from pipeline.api.paging import MIN_ID, Cursor, Key, Span, before, span
from pipeline.api.query import Query
from pipeline.api.store import Row, Store
from pipeline.tables import STORED_HOURS, TABLES, TRADES
from pipeline.times import hour_of

# Hours looked up at a time. A quiet symbol's newest rows may be spread over many hours.
HOURS_AT_A_TIME = 48
# Hours opened at a time: one, then twice as many, as long as they do not fill the page.
MOST_HOURS_OPENED = 8
SMALLEST_READ, MOST_READ_AT_ONCE = 10, 5000
OF_SYMBOL, OF_HOUR = "symbol = ?", "symbol = ? AND hour = ?"


class Page(NamedTuple):
    """Rows ascending by (time, symbol, id), and where the next page begins if there is one."""

    rows: list[Row]
    next: Cursor | None = None


class History:
    """The reads of history. Every method may raise StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def by_symbol(self, table: str, symbols: Sequence[str], query: Query) -> Page:
        """latest_prices or crypto_24h_stats: one partition a symbol."""
        time, count = TABLES[table].time, first_read(query.limit, len(symbols))
        spans = [span(query.from_ms, query.to_ms, query.forward, query.cursor, symbol) for symbol in symbols]
        firsts = self.read(table, OF_SYMBOL, [((s,), each) for s, each in zip(symbols, spans)], query.forward, count)
        streams = [
            self.partition(table, OF_SYMBOL, (symbol,), each, count, first)
            for symbol, each, first in zip(symbols, spans, firsts)
        ]
        return page(streams, time, query)

    def by_hour(self, table: str, symbols: Sequence[str], query: Query) -> Page:
        """order_book or recent_trades: a partition for each hour of a symbol."""
        count = first_read(query.limit, len(symbols))
        streams = [
            self._hour_by_hour(table, s, span(query.from_ms, query.to_ms, query.forward, query.cursor, s), count)
            for s in symbols
        ]
        return page(streams, TABLES[table].time, query)

    def _hour_by_hour(self, table: str, symbol: str, whole: Span, count: int) -> Iterator[Row]:
        hours, width = self.hours(table, symbol, whole), 1
        while wave := list(islice(hours, width)):
            firsts = self.read(table, OF_HOUR, [((symbol, hour), whole) for hour in wave], whole.forward, count)
            for hour, first in zip(wave, firsts):
                yield from self.partition(table, OF_HOUR, (symbol, hour), whole, count, first)
            width = min(2 * width, MOST_HOURS_OPENED)

    def partition(
        self, table: str, where: str, values: tuple, left: Span, count: int, rows: list[Row]
    ) -> Iterator[Row]:
        """The rows of one partition in the direction of the span; `rows` are its first `count`,
        read already."""
        time = TABLES[table].time
        while True:
            yield from rows
            if len(rows) < count:
                return
            last = Key(rows[-1][time], rows[-1].get("trade_id", 0))
            left = Span(last, left.below, True) if left.forward else Span(left.above, last, False)
            count = max(count, min(4 * count, MOST_READ_AT_ONCE))
            (rows,) = self.read(table, where, [(values, left)], left.forward, count)

    def read(
        self,
        table: str,
        where: str,
        parts: Sequence[tuple[tuple, Span]],
        forward: bool,
        count: int,
        columns: str | None = None,
    ) -> list[list[Row]]:
        """The first `count` rows of each partition's span."""
        time, order = TABLES[table].time, "ASC" if forward else "DESC"
        if table == TRADES.name:
            bounds, ends = f"({time}, trade_id) > (?, ?) AND ({time}, trade_id) < (?, ?)", two_keys
        else:
            bounds, ends = f"{time} > ? AND {time} < ?", two_times
        clause = f"WHERE {where} AND {bounds} ORDER BY {time} {order} LIMIT ?"
        many = [(*values, *ends(each), count) for values, each in parts]
        return self._store.select_many(columns or self._store.columns_of(table), table, clause, many)

    def ends(self, table: str, symbol: str, from_ms: int, to_ms: int) -> tuple[int, int] | None:
        """The times of a symbol's first and last row in a range of a table with one partition a
        symbol."""
        time, found = TABLES[table].time, []
        for forward in (True, False):
            part, columns = ((symbol,), between(from_ms, to_ms, forward)), f"to_unix_timestamp({time}) AS {time}"
            found += [row[time] for row in self.read(table, OF_SYMBOL, [part], forward, 1, columns)[0]]
        return (found[0], found[1]) if len(found) == 2 else None

    def newest_hours(self, table: str, symbols: Sequence[str]) -> list[tuple[str, int]]:
        """(symbol, hour) of the newest rows of each symbol that has any."""
        where = "WHERE table_name = ? AND symbol = ? ORDER BY hour DESC LIMIT 1"
        columns, many = "symbol, to_unix_timestamp(hour) AS hour", [(table, symbol) for symbol in symbols]
        found = self._store.select_many(columns, STORED_HOURS, where, many)
        return [(row["symbol"], row["hour"]) for rows in found for row in rows]

    def hours(self, table: str, symbol: str, whole: Span) -> Iterator[int]:
        """The hours that hold rows, in the direction of the span."""
        first = hour_of(max(whole.above.time_ms + 1, 0))
        # A span that ends before every row of a moment does not need that moment's hour.
        last = whole.below.time_ms - (whole.below.id == MIN_ID)
        order = "ASC" if whole.forward else "DESC"
        where = f"WHERE table_name = ? AND symbol = ? AND hour >= ? AND hour <= ? ORDER BY hour {order} LIMIT ?"
        while True:
            values = (table, symbol, first, last, HOURS_AT_A_TIME)
            found = self._store.select("to_unix_timestamp(hour) AS hour", STORED_HOURS, where, values)
            yield from (row["hour"] for row in found)
            if len(found) < HOURS_AT_A_TIME:
                return
            if whole.forward:
                first = found[-1]["hour"] + 1
            else:
                last = found[-1]["hour"] - 1


def between(from_ms: int, to_ms: int, forward: bool) -> Span:
    """From inclusive, to exclusive."""
    return Span(before(from_ms), Key(to_ms, MIN_ID), forward)


def two_times(each: Span) -> tuple[int, int]:
    # The store's smallest and largest moments are further out than any row's.
    return each.above.time_ms, each.below.time_ms


def two_keys(each: Span) -> tuple[int, int, int, int]:
    return (*each.above, *each.below)


def first_read(limit: int, symbols: int) -> int:
    """Rows to read of each symbol at first. One more than the page shows whether there are more; of
    many symbols each is likely to give its share."""
    return limit + 1 if symbols <= 1 else min(limit + 1, max(SMALLEST_READ, 2 * (limit + 1) // symbols))


def page(streams: Sequence[Iterator[Row]], time: str, query: Query) -> Page:
    """The first `limit` rows of the streams together, given ascending whatever the direction."""
    order: Callable[[Row], tuple] = (
        itemgetter(time, "symbol", "trade_id") if time == TRADES.time else itemgetter(time, "symbol")
    )
    merged = streams[0] if len(streams) == 1 else merge(*streams, key=order, reverse=not query.forward)
    rows = list(islice(merged, query.limit + 1))
    more = len(rows) > query.limit
    del rows[query.limit :]
    cursor = Cursor.at(rows[-1], time) if more else None
    return Page(rows if query.forward else rows[::-1], cursor)
