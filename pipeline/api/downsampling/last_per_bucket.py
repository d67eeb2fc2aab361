"""Statistics and books of a wide range as few rows: the last row of each bucket is read and no
other, so the range may be as wide as it likes. Knows nothing of HTTP."""

from collections import defaultdict
from collections.abc import Callable, Iterator

from pipeline.api.downsampling.bucket_cache import BucketCache, is_over
from pipeline.api.downsampling.buckets import bucket_ms, pieces_of
from pipeline.api.downsampling.sampling import Sampled, in_order, points_each, range_of
from pipeline.api.history import OF_HOUR, OF_SYMBOL, History, between
from pipeline.api.query import Query
from pipeline.api.store import Row
from pipeline.tables import BOOKS, TABLES
from pipeline.times import HOUR_MS, hour_of, now_ms

# Buckets of all symbols together: each is a read.
MOST_BUCKETS = 1000
# A remembered book of twenty levels is about 8 kB.
REMEMBERED_ROWS = 4000
Piece = tuple[str, int, int]  # symbol, from, to


class LastPerBucket:
    """`points` of crypto_24h_stats and order_book. May raise StoreUnavailable."""

    def __init__(self, history: History, clock: Callable[[], int] = now_ms) -> None:
        self._history = history
        self._clock = clock
        self._remembered = BucketCache(REMEMBERED_ROWS)

    def sampled(self, table: str, query: Query) -> Sampled:
        from_ms, to_ms = range_of(query, self._clock())
        width = bucket_ms(from_ms, to_ms, points_each(query, MOST_BUCKETS))
        # By bucket its parts, newest first: a book's bucket of several hours lies in several
        # partitions.
        left: dict[tuple[str, int], list[Piece]] = defaultdict(list)
        for symbol in query.symbols:
            for start, end in self._parts(table, symbol, from_ms, to_ms, width):
                left[symbol, start // width].append((symbol, start, end))
        rows: list[Row] = []
        while left:
            firsts = {bucket: parts.pop(0) for bucket, parts in left.items()}
            read = self._read(table, list(firsts.values()), width)
            rows += [row for found in read.values() for row in found]
            left = {bucket: parts for bucket, parts in left.items() if parts and not read[firsts[bucket]]}
        return Sampled(in_order(rows, table))

    def _parts(self, table: str, symbol: str, from_ms: int, to_ms: int, width: int) -> Iterator[tuple[int, int]]:
        """Where rows may be, newest first, each within one partition and one bucket."""
        if table == BOOKS.name:
            hours = self._history.hours(table, symbol, between(from_ms, to_ms, forward=False))
            ranges = ((max(from_ms, hour), min(to_ms, hour + HOUR_MS)) for hour in hours)
        else:
            ends = self._history.ends(table, symbol, from_ms, to_ms)
            # Up to `to` and not to the newest row, so that a bucket that is over is asked for alike
            # every time.
            ranges = iter(()) if ends is None else iter([(max(from_ms, ends[0] // width * width), to_ms)])
        for start, end in ranges:
            yield from pieces_of(start, end, width)

    def _read(self, table: str, pieces: list[Piece], width: int) -> dict[Piece, list[Row]]:
        """The last row of each piece, if it has one."""
        known = {piece: self._remembered.get((table, piece)) for piece in pieces}
        missing = [piece for piece, rows in known.items() if rows is None]
        where = OF_HOUR if table == BOOKS.name else OF_SYMBOL
        spans = [
            ((symbol, hour_of(start)) if table == BOOKS.name else (symbol,), between(start, end, forward=False))
            for symbol, start, end in missing
        ]
        step = min(width, HOUR_MS) if table == BOOKS.name else width
        known |= zip(missing, self._history.read(table, where, spans, False, 1))
        newest_ms: dict[str, int] = defaultdict(int)
        for (symbol, _, _), rows in known.items():
            newest_ms[symbol] = max([newest_ms[symbol], *(row[TABLES[table].time] for row in rows)])
        for piece in missing:
            (symbol, start, end), rows = piece, known[piece]
            if start % step == 0 and end % step == 0 and is_over(end, newest_ms[symbol], self._clock()):
                self._remembered.put((table, piece), rows)
        return known
