"""Statistics, books and forecasts of a wide range as few rows: only the last row of each bucket is
read, so the cost does not grow with the range. Where a bucket has few rows, all of them are read at
once, which costs less than a read per bucket. Knows nothing of HTTP."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from pipeline.api.downsampling.bucket_cache import BucketCache, is_settled
from pipeline.api.downsampling.buckets import Piece, bucket_ms, split
from pipeline.api.downsampling.sampling import Downsampled, points_per_symbol, range_of, sorted_by_time
from pipeline.api.history import NO_LIMIT, History, between, partition_key, partition_values
from pipeline.api.query import Query
from pipeline.api.store import Row
from pipeline.intervals import MINUTE_MS, max_interval_ms
from pipeline.tables import FORECASTS, Table
from pipeline.times import HOUR_MS, now_ms

# Buckets of all symbols together: each is a read.
MAX_BUCKETS = 1000
# A cached book of twenty levels takes about 8 kB.
MAX_CACHED_ROWS = 4000
# Tables with at most one row in this time. A read costs Cassandra as much as some thirty rows.
MIN_STEP_MS = {FORECASTS.name: MINUTE_MS}
MAX_ROWS_PER_BUCKET = 10


class LastPerBucket:
    """`points` of crypto_24h_stats, order_book and forecasts. May raise StoreUnavailable."""

    def __init__(self, history: History, clock: Callable[[], int] = now_ms) -> None:
        self._history = history
        self._clock = clock
        self._cache = BucketCache(MAX_CACHED_ROWS)

    def downsample(self, table: Table, query: Query) -> Downsampled:
        from_ms, to_ms = range_of(query, self._clock())
        horizon = query.horizon if "horizon" in table.key else ""
        width = bucket_ms(from_ms, to_ms, points_per_symbol(query, MAX_BUCKETS))
        # The pieces of each bucket, newest first. A bucket of several hours has several pieces if
        # each hour is a partition; an older piece is read only if the newer ones have no row.
        unread: dict[tuple[str, int], list[Piece]] = defaultdict(list)
        for symbol in query.symbols:
            for start, end in self._ranges(table, symbol, horizon, (from_ms, to_ms), width):
                unread[symbol, start // width].append(Piece(symbol, start, end, horizon))
        rows: list[Row] = []
        while unread:
            newest = {bucket: pieces.pop(0) for bucket, pieces in unread.items()}
            found = self._read(table, list(newest.values()), width)
            rows += [row for piece_rows in found.values() for row in piece_rows]
            unread = {bucket: pieces for bucket, pieces in unread.items() if pieces and not found[newest[bucket]]}
        return Downsampled(sorted_by_time(rows, table))

    def _ranges(
        self, table: Table, symbol: str, horizon: str, span: tuple[int, int], width: int
    ) -> Iterator[tuple[int, int]]:
        """Where rows may be, newest first, each within one partition and one bucket."""
        for start, end in self._partition_ranges(table, symbol, horizon, span, width):
            yield from split(start, end, width)

    def _partition_ranges(
        self, table: Table, symbol: str, horizon: str, span: tuple[int, int], width: int
    ) -> Iterable[tuple[int, int]]:
        """Where rows may be, newest first, each within one partition."""
        from_ms, to_ms = span
        if table.hourly:
            hours = self._history.hours(table, symbol, between(from_ms, to_ms, forward=False))
            return ((max(from_ms, hour), min(to_ms, hour + HOUR_MS)) for hour in hours)
        ends = self._history.ends(table, symbol, from_ms, to_ms, horizon)
        # Up to `to` and not to the newest row, so that every request asks for the same settled
        # buckets.
        return [] if ends is None else [(max(from_ms, ends[0] // width * width), to_ms)]

    def _read(self, table: Table, pieces: Sequence[Piece], width: int) -> dict[Piece, list[Row]]:
        """The last row of each piece, cached or read; an empty list if it has none."""
        cached = {piece: self._cache.get((table.name, piece)) for piece in pieces}
        known = {piece: rows for piece, rows in cached.items() if rows is not None}
        missing = [piece for piece in pieces if piece not in known]
        step = MIN_STEP_MS.get(table.name, 1)
        if width <= MAX_ROWS_PER_BUCKET * step:
            known |= self._read_all(table, missing)
        else:
            known |= zip(missing, self._read_rows(table, missing, 1))
        self._cache_settled(table, missing, known, width)
        return {piece: known[piece] for piece in pieces}

    def _read_all(self, table: Table, pieces: Sequence[Piece]) -> dict[Piece, list[Row]]:
        """The last row of each piece, from all rows of adjacent pieces together."""
        found: dict[Piece, list[Row]] = {piece: [] for piece in pieces}
        ranges = joined(pieces)
        read = self._read_rows(table, [whole for whole, _ in ranges], NO_LIMIT)
        for (_, parts), rows in zip(ranges, read):
            newest_first = iter(parts)
            piece = next(newest_first)
            for row in rows:
                while row[table.time] < piece.start_ms:
                    piece = next(newest_first)
                found[piece] = found[piece] or [row]
        return found

    def _read_rows(self, table: Table, pieces: Sequence[Piece], count: int) -> list[list[Row]]:
        """The last `count` rows of each piece, newest first."""
        parts = [
            (
                partition_values(table, piece.symbol, piece.start_ms, piece.horizon),
                between(piece.start_ms, piece.end_ms, forward=False),
            )
            for piece in pieces
        ]
        return self._history.read(table, partition_key(table), parts, False, count)

    def _cache_settled(self, table: Table, pieces: Sequence[Piece], known: dict[Piece, list[Row]], width: int) -> None:
        """Cache the rows of the pieces that are settled and not cut by the range."""
        newest_ms: dict[str, int] = defaultdict(int)
        for piece, rows in known.items():
            newest_ms[piece.symbol] = max([newest_ms[piece.symbol], *(row[table.time] for row in rows)])
        step = min(width, HOUR_MS) if table.hourly else width
        for piece in pieces:
            is_whole = piece.start_ms % step == 0 and piece.end_ms % step == 0
            if is_whole and is_settled(final_ms(piece), newest_ms[piece.symbol], self._clock()):
                self._cache.put((table.name, piece), known[piece])


def joined(pieces: Sequence[Piece]) -> list[tuple[Piece, list[Piece]]]:
    """Ranges of adjacent pieces, which come newest first, each with the pieces in it."""
    ranges: list[tuple[Piece, list[Piece]]] = []
    for piece in pieces:
        if ranges and ranges[-1][0].symbol == piece.symbol and ranges[-1][0].start_ms == piece.end_ms:
            whole, parts = ranges[-1]
            ranges[-1] = (whole._replace(start_ms=piece.start_ms), [*parts, piece])
        else:
            ranges.append((piece, [piece]))
    return ranges


def final_ms(piece: Piece) -> int:
    """From when on its rows do not change: forecasts are scored when their windows close."""
    return piece.end_ms + (max_interval_ms(piece.horizon) if piece.horizon else 0)
