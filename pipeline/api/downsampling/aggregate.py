"""Prices and trades of a wide range as few rows. All rows are read, so that a spike survives:
newest first and within a bound; what was read of the past is remembered, so that the next request
gets further. Knows nothing of HTTP."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from pipeline.api.downsampling.bucket_cache import SETTLED_MS, BucketCache, is_over
from pipeline.api.downsampling.buckets import Join, bucket_ms, hour_pieces, join_prices, join_trades, joined, piece_ms
from pipeline.api.downsampling.sampling import Sampled, in_order, points_each, range_of
from pipeline.api.history import OF_HOUR, OF_SYMBOL, History, between
from pipeline.api.query import Query
from pipeline.api.store import Row
from pipeline.intervals import ceil_ms
from pipeline.tables import PRICES, TABLES, TRADES
from pipeline.times import HOUR_MS, hour_of, now_ms

# Rows that a request reads before it begins no other piece, and how long it goes on beginning them.
MOST_ROWS, MOST_SECONDS = 100_000, 1.5
MOST_PIECES_AT_ONCE = 16
ALL = 2**31 - 1
# A remembered row is about 400 bytes.
REMEMBERED_ROWS = 50_000
JOINS: dict[str, Join] = {PRICES.name: join_prices, TRADES.name: join_trades}
COLUMNS = {
    PRICES.name: "symbol, to_unix_timestamp(updated_at) AS updated_at, price",
    TRADES.name: "symbol, to_unix_timestamp(trade_time) AS trade_time, price, quantity, quote_quantity, is_buyer_maker",
}
Piece = tuple[str, int, int]  # symbol, from, to


class Downsampling:
    """`points` of latest_prices and recent_trades. May raise StoreUnavailable."""

    def __init__(self, history: History, clock: Callable[[], int] = now_ms) -> None:
        self._history = history
        self._clock = clock
        self._remembered: BucketCache = BucketCache(REMEMBERED_ROWS)

    def sampled(self, table: str, query: Query) -> Sampled:
        time_column, join = TABLES[table].time, JOINS[table]
        from_ms, to_ms = range_of(query, self._clock())
        width = bucket_ms(from_ms, to_ms, points_each(query))
        plan = [piece for symbol in query.symbols for piece in self._pieces(table, symbol, from_ms, to_ms, width)]
        plan.sort(key=lambda piece: -piece[2])
        found, unread = self._read_plan(table, plan, width)
        complete_from = None if unread is None else ceil_ms(unread[2], width)
        rows: list[Row] = []
        for parts in found.values():
            # Pieces were read newest first; within each, rows ascend.
            ascending = [row for part in reversed(parts) for row in part]
            rows += joined(ascending, time_column, width, join)
        if complete_from is not None:
            rows = [row for row in rows if row[time_column] >= complete_from]
        return Sampled(in_order(rows, table), complete_from)

    def _pieces(self, table: str, symbol: str, from_ms: int, to_ms: int, width: int) -> list[Piece]:
        hours = self._hours(table, symbol, from_ms, to_ms)
        pieces = hour_pieces(from_ms, to_ms, width, self._clock() - SETTLED_MS, hours)
        return [(symbol, start, end) for start, end in pieces]

    def _hours(self, table: str, symbol: str, from_ms: int, to_ms: int) -> Iterator[int]:
        """Hours that may hold rows, newest first."""
        if table == TRADES.name:
            return self._history.hours(table, symbol, between(from_ms, to_ms, forward=False))
        ends = self._history.ends(table, symbol, from_ms, to_ms)
        return iter(()) if ends is None else iter(range(hour_of(ends[1]), hour_of(ends[0]) - 1, -HOUR_MS))

    def _read_plan(
        self, table: str, plan: Sequence[Piece], width: int
    ) -> tuple[dict[str, list[list[Row]]], Piece | None]:
        """The pieces' rows by symbol, newest piece first, and the first piece that the bound left
        unread."""
        found: dict[str, list[list[Row]]] = defaultdict(list)
        began, read_rows, position, at_once = time.monotonic(), 0, 0, 1
        newest_ms: dict[str, int] = defaultdict(int)
        while position < len(plan):
            if read_rows >= MOST_ROWS or time.monotonic() - began >= MOST_SECONDS:
                return found, plan[position]
            wave = plan[position : position + at_once]
            parts, count = self._read_wave(table, wave, width, newest_ms)
            for (symbol, _, _), rows in zip(wave, parts):
                found[symbol].append(rows)
            read_rows, position = read_rows + count, position + at_once
            at_once = min(2 * at_once, MOST_PIECES_AT_ONCE)
        return found, None

    def _read_wave(
        self, table: str, wave: Sequence[Piece], width: int, newest_ms: dict[str, int]
    ) -> tuple[list[list[Row]], int]:
        """What is left of each piece, remembered or read; and how many rows were read for it. Notes
        in `newest_ms` how far the rows of each symbol reach."""
        time_column = TABLES[table].time
        known = {piece: self._remembered.get((table, width, piece)) for piece in wave}
        missing = [piece for piece, rows in known.items() if rows is None]
        where = OF_HOUR if table == TRADES.name else OF_SYMBOL
        spans = [
            ((symbol, hour_of(start)) if table == TRADES.name else (symbol,), between(start, end, forward=True))
            for symbol, start, end in missing
        ]
        read = self._history.read(table, where, spans, True, ALL, COLUMNS[table])
        reached = [(piece[0], piece[2]) for piece, rows in known.items() if rows is not None]
        reached += [(piece[0], rows[-1][time_column]) for piece, rows in zip(missing, read) if rows]
        for symbol, at_ms in reached:
            newest_ms[symbol] = max(newest_ms[symbol], at_ms)
        for piece, rows in zip(missing, read):
            # Narrower than an hour where buckets are wider: what is left must fit into any bucket.
            known[piece] = joined(rows, time_column, min(width, piece_ms(width)), JOINS[table])
            symbol, start, end = piece
            # One that the next request asks for as well.
            whole = start % piece_ms(width) == 0 and end % piece_ms(width) == 0
            if whole and is_over(end, newest_ms[symbol], self._clock()):
                self._remembered.put((table, width, piece), known[piece])
        return [known[piece] for piece in wave], sum(map(len, read))
