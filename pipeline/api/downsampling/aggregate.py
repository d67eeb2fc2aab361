"""Prices and trades of a wide range as few rows. All rows are read, so that no spike is lost:
newest first and within limits. Past buckets are cached, so that the next request gets further.
Knows nothing of HTTP."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from pipeline.api.downsampling.bucket_cache import SETTLED_MS, BucketCache, is_settled
from pipeline.api.downsampling.buckets import (
    Aggregation,
    Piece,
    aggregate_buckets,
    aggregate_prices,
    aggregate_trades,
    bucket_ms,
    hour_pieces,
    piece_ms,
)
from pipeline.api.downsampling.sampling import Downsampled, points_per_symbol, range_of, sorted_by_time
from pipeline.api.history import NO_LIMIT, History, between, partition_key, partition_values
from pipeline.api.query import Query
from pipeline.api.store import Row
from pipeline.intervals import ceil_ms
from pipeline.tables import PRICES, TRADES, Table
from pipeline.times import HOUR_MS, hour_of, now_ms

# A request starts to read another piece until it has read so many rows or taken so long.
MAX_ROWS_READ = 100_000
MAX_READ_SECONDS = 1.5
MAX_CONCURRENT_PIECES = 16
# A cached row takes about 400 bytes.
MAX_CACHED_ROWS = 50_000
AGGREGATIONS: dict[str, Aggregation] = {PRICES.name: aggregate_prices, TRADES.name: aggregate_trades}
COLUMNS = {
    PRICES.name: "symbol, updated_at, price",
    TRADES.name: "symbol, trade_time, price, quantity, quote_quantity, is_buyer_maker",
}


class AggregatePerBucket:
    """`points` of latest_prices and recent_trades. May raise StoreUnavailable."""

    def __init__(self, history: History, clock: Callable[[], int] = now_ms) -> None:
        self._history = history
        self._clock = clock
        self._cache = BucketCache(MAX_CACHED_ROWS)

    def downsample(self, table: Table, query: Query) -> Downsampled:
        from_ms, to_ms = range_of(query, self._clock())
        width = bucket_ms(from_ms, to_ms, points_per_symbol(query))
        plan = [piece for symbol in query.symbols for piece in self._pieces(table, symbol, from_ms, to_ms, width)]
        plan.sort(key=lambda piece: piece.end_ms, reverse=True)
        parts_by_symbol, first_unread = self._read_plan(table, plan, width)
        complete_from = None if first_unread is None else ceil_ms(first_unread.end_ms, width)
        rows: list[Row] = []
        for parts in parts_by_symbol.values():
            # Pieces were read newest first; within each, rows ascend.
            ascending = [row for part in reversed(parts) for row in part]
            if width > piece_ms(width):
                ascending = aggregate_buckets(ascending, table.time, width, AGGREGATIONS[table.name])
            rows += ascending
        if complete_from is not None:
            rows = [row for row in rows if row[table.time] >= complete_from]
        return Downsampled(sorted_by_time(rows, table), complete_from)

    def _pieces(self, table: Table, symbol: str, from_ms: int, to_ms: int, width: int) -> list[Piece]:
        hours = self._hours(table, symbol, from_ms, to_ms)
        pieces = hour_pieces(from_ms, to_ms, width, self._clock() - SETTLED_MS, hours)
        return [Piece(symbol, start, end) for start, end in pieces]

    def _hours(self, table: Table, symbol: str, from_ms: int, to_ms: int) -> Iterator[int]:
        """Hours that may hold rows, newest first."""
        if table.hourly:
            return self._history.hours(table, symbol, between(from_ms, to_ms, forward=False))
        ends = self._history.ends(table, symbol, from_ms, to_ms)
        return iter(()) if ends is None else iter(range(hour_of(ends[1]), hour_of(ends[0]) - 1, -HOUR_MS))

    def _read_plan(
        self, table: Table, plan: Sequence[Piece], width: int
    ) -> tuple[dict[str, list[list[Row]]], Piece | None]:
        """The aggregated rows of the pieces by symbol, newest piece first, and the first piece that
        was left unread because a limit was reached."""
        parts_by_symbol: dict[str, list[list[Row]]] = defaultdict(list)
        newest_ms: dict[str, int] = defaultdict(int)
        started = time.monotonic()
        rows_read = 0
        position = 0
        concurrent = 1
        while position < len(plan):
            if rows_read >= MAX_ROWS_READ or time.monotonic() - started >= MAX_READ_SECONDS:
                return parts_by_symbol, plan[position]
            wave = plan[position : position + concurrent]
            parts, count = self._read_wave(table, wave, width, newest_ms)
            for piece, rows in zip(wave, parts):
                parts_by_symbol[piece.symbol].append(rows)
            rows_read += count
            position += concurrent
            concurrent = min(2 * concurrent, MAX_CONCURRENT_PIECES)
        return parts_by_symbol, None

    def _read_wave(
        self, table: Table, wave: Sequence[Piece], width: int, newest_ms: dict[str, int]
    ) -> tuple[list[list[Row]], int]:
        """The aggregated rows of each piece, cached or read, and how many rows were read for them.
        Advances `newest_ms`, the time of the newest row known of each symbol."""
        cached = {piece: self._cache.get((table.name, width, piece)) for piece in wave}
        known = {piece: rows for piece, rows in cached.items() if rows is not None}
        missing = [piece for piece in wave if piece not in known]
        read = self._read(table, missing)
        for piece in known:
            newest_ms[piece.symbol] = max(newest_ms[piece.symbol], piece.end_ms)
        for piece, rows in zip(missing, read):
            if rows:
                newest_ms[piece.symbol] = max(newest_ms[piece.symbol], rows[-1][table.time])
        # Narrower than the buckets if those are wider than a piece, to serve any wider bucket.
        narrow = min(width, piece_ms(width))
        for piece, rows in zip(missing, read):
            known[piece] = aggregate_buckets(rows, table.time, narrow, AGGREGATIONS[table.name])
            if is_whole(piece, width) and is_settled(piece.end_ms, newest_ms[piece.symbol], self._clock()):
                self._cache.put((table.name, width, piece), known[piece])
        return [known[piece] for piece in wave], sum(map(len, read))

    def _read(self, table: Table, pieces: Sequence[Piece]) -> list[list[Row]]:
        """All rows of each piece, ascending by time."""
        parts = [
            (
                partition_values(table, piece.symbol, piece.start_ms),
                between(piece.start_ms, piece.end_ms, forward=True),
            )
            for piece in pieces
        ]
        return self._history.read(table, partition_key(table), parts, True, NO_LIMIT, COLUMNS[table.name])


def is_whole(piece: Piece, width: int) -> bool:
    """Whether it is not cut by the range, so that the next request needs the same piece."""
    return piece.start_ms % piece_ms(width) == 0 and piece.end_ms % piece_ms(width) == 0
