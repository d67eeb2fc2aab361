"""Rows of the history tables, page by page, each read within one partition. Every symbol is a
stream that reads more rows only when those it has are used up; the streams are merged until the
page is full. Knows the keys of the tables; knows nothing of HTTP."""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from pipeline.api.paging import ID_COLUMN, MIN_ID, Cursor, Key, Span, before, key_of, span
from pipeline.api.query import Query
from pipeline.api.store import Row, Store
from pipeline.tables import STORED_HOURS, Table
from pipeline.times import hour_of

# Hours that one read of stored_hours returns. A quiet symbol's newest rows may be spread over many
# hours.
HOURS_PER_READ = 48
# Hour partitions that are read concurrently: one at first, then twice as many each time, until the
# page is full.
MAX_CONCURRENT_HOURS = 8
MIN_FIRST_READ = 10
MAX_ROWS_PER_READ = 5000
NO_LIMIT = 2**31 - 1
# The partition keys of the history tables.
OF_SYMBOL = "symbol = ?"
OF_HOUR = "symbol = ? AND hour = ?"
OF_INTERVAL = "symbol = ? AND interval = ?"
OF_HORIZON = "symbol = ? AND horizon = ?"


class Page(NamedTuple):
    """Rows ascending by (time, symbol, id), and where the next page begins if there is one."""

    rows: list[Row]
    next: Cursor | None = None


class History:
    """The reads of history. Every method may raise StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def by_symbol(self, table: Table, symbols: Sequence[str], query: Query) -> Page:
        """A page of a table with one partition per symbol, or per symbol and horizon."""
        where = partition_key(table)
        count = first_read(query.limit, len(symbols))
        spans = [span(query.from_ms, query.to_ms, query.forward, query.cursor, symbol) for symbol in symbols]
        parts = [(partition_values(table, symbol, 0, query.horizon), each) for symbol, each in zip(symbols, spans)]
        firsts = self.read(table, where, parts, query.forward, count)
        streams = [
            self.partition(table, where, values, each, count, first) for (values, each), first in zip(parts, firsts)
        ]
        return page(streams, table, query)

    def by_hour(self, table: Table, symbols: Sequence[str], query: Query) -> Page:
        """A page of a table with one partition per symbol and hour."""
        count = first_read(query.limit, len(symbols))
        spans = [span(query.from_ms, query.to_ms, query.forward, query.cursor, symbol) for symbol in symbols]
        streams = [self._hour_by_hour(table, symbol, each, count) for symbol, each in zip(symbols, spans)]
        return page(streams, table, query)

    def _hour_by_hour(self, table: Table, symbol: str, whole: Span, count: int) -> Iterator[Row]:
        hours = self.hours(table, symbol, whole)
        concurrent = 1
        while wave := list(islice(hours, concurrent)):
            firsts = self.read(table, OF_HOUR, [((symbol, hour), whole) for hour in wave], whole.forward, count)
            for hour, first in zip(wave, firsts):
                yield from self.partition(table, OF_HOUR, (symbol, hour), whole, count, first)
            concurrent = min(2 * concurrent, MAX_CONCURRENT_HOURS)

    def partition(
        self, table: Table, where: str, values: tuple[Any, ...], remaining: Span, count: int, rows: list[Row]
    ) -> Iterator[Row]:
        """The rows of one partition in the direction of the span; `rows` are its first `count`
        rows, which the caller has read."""
        while True:
            yield from rows
            if len(rows) < count:
                return
            last = key_of(rows[-1], table.time)
            if remaining.forward:
                remaining = Span(last, remaining.below, forward=True)
            else:
                remaining = Span(remaining.above, last, forward=False)
            count = max(count, min(4 * count, MAX_ROWS_PER_READ))
            (rows,) = self.read(table, where, [(values, remaining)], remaining.forward, count)

    def read(
        self,
        table: Table,
        where: str,
        parts: Sequence[tuple[tuple[Any, ...], Span]],
        forward: bool,
        count: int,
        columns: str | None = None,
    ) -> list[list[Row]]:
        """The first `count` rows in the span of each partition. `parts`: values of the partition
        key, and the span. `columns`: all unless given."""
        time = table.time
        bounds_of: Callable[[Span], tuple[int, ...]]
        if ID_COLUMN in table.columns:
            bounds = f"({time}, {ID_COLUMN}) > (?, ?) AND ({time}, {ID_COLUMN}) < (?, ?)"
            bounds_of = key_bounds
        else:
            bounds = f"{time} > ? AND {time} < ?"
            bounds_of = time_bounds
        clause = f"WHERE {where} AND {bounds} ORDER BY {time} {'ASC' if forward else 'DESC'} LIMIT ?"
        many = [(*values, *bounds_of(each), count) for values, each in parts]
        return self._store.select_many(columns or self._store.columns_of(table.name), table.name, clause, many)

    def ends(self, table: Table, symbol: str, from_ms: int, to_ms: int, horizon: str = "") -> tuple[int, int] | None:
        """The times of a symbol's first and last row in a range of a table with one partition per
        symbol, or per symbol and horizon."""
        times: list[int] = []
        for forward in (True, False):
            part = (partition_values(table, symbol, 0, horizon), between(from_ms, to_ms, forward))
            (rows,) = self.read(table, partition_key(table), [part], forward, 1, table.time)
            times += [row[table.time] for row in rows]
        return (times[0], times[1]) if len(times) == 2 else None

    def newest_hours(self, table: Table, symbols: Sequence[str]) -> list[tuple[str, int]]:
        """(symbol, hour) of the newest rows of each symbol that has rows."""
        where = "WHERE table_name = ? AND symbol = ? ORDER BY hour DESC LIMIT 1"
        many = [(table.name, symbol) for symbol in symbols]
        found = self._store.select_many("symbol, hour", STORED_HOURS, where, many)
        return [(row["symbol"], row["hour"]) for rows in found for row in rows]

    def hours(self, table: Table, symbol: str, whole: Span) -> Iterator[int]:
        """The hours that hold rows, in the direction of the span."""
        first = hour_of(max(whole.above.time_ms + 1, 0))
        # A span that ends before all rows of a millisecond does not need that millisecond's hour.
        last = whole.below.time_ms - (whole.below.id == MIN_ID)
        order = "ASC" if whole.forward else "DESC"
        where = f"WHERE table_name = ? AND symbol = ? AND hour >= ? AND hour <= ? ORDER BY hour {order} LIMIT ?"
        while True:
            values = (table.name, symbol, first, last, HOURS_PER_READ)
            found = self._store.select("hour", STORED_HOURS, where, values)
            yield from (row["hour"] for row in found)
            if len(found) < HOURS_PER_READ:
                return
            if whole.forward:
                first = found[-1]["hour"] + 1
            else:
                last = found[-1]["hour"] - 1


def partition_key(table: Table) -> str:
    """The condition on the partition key of a table that is read by symbol, hour or horizon."""
    if table.hourly:
        return OF_HOUR
    return OF_HORIZON if "horizon" in table.key else OF_SYMBOL


def partition_values(table: Table, symbol: str, time_ms: int, horizon: str = "") -> tuple[Any, ...]:
    """The values of that key for the partition that holds a symbol's rows of a time, or of a
    horizon."""
    if table.hourly:
        return symbol, hour_of(time_ms)
    return (symbol, horizon) if "horizon" in table.key else (symbol,)


def between(from_ms: int, to_ms: int, forward: bool) -> Span:
    """From inclusive, to exclusive."""
    return Span(before(from_ms), Key(to_ms, MIN_ID), forward)


def time_bounds(each: Span) -> tuple[int, ...]:
    # FIRST and LAST (paging.py) are times that Cassandra can store, and further out than any row's.
    return each.above.time_ms, each.below.time_ms


def key_bounds(each: Span) -> tuple[int, ...]:
    return (*each.above, *each.below)


def first_read(limit: int, symbols: int) -> int:
    """Rows to read of each symbol at first. One more than the page shows whether there are more; of
    many symbols, each is likely to contribute its share."""
    return limit + 1 if symbols <= 1 else min(limit + 1, max(MIN_FIRST_READ, 2 * (limit + 1) // symbols))


def page(streams: Sequence[Iterator[Row]], table: Table, query: Query) -> Page:
    """The first `limit` rows of all streams together, in ascending order whatever the direction of
    reading."""
    order = (table.time, "symbol", ID_COLUMN) if ID_COLUMN in table.columns else (table.time, "symbol")
    merged = streams[0] if len(streams) == 1 else merge(*streams, key=itemgetter(*order), reverse=not query.forward)
    rows = list(islice(merged, query.limit + 1))
    more = len(rows) > query.limit
    del rows[query.limit :]
    cursor = Cursor.at(rows[-1], table.time) if more else None
    return Page(rows if query.forward else rows[::-1], cursor)
