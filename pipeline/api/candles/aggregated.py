"""Candles of an interval that is not stored. Those that are closed for a minute are cached, so that
a dashboard that refreshes reads little more than the parts of the newest one. Knows nothing of
HTTP."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pipeline.api.candles.aggregation import aggregate_candles, length_ms, parts_per_candle
from pipeline.api.candles.stored import StoredCandles
from pipeline.api.downsampling.bucket_cache import SETTLED_MS, BucketCache
from pipeline.api.history import between
from pipeline.api.paging import Span
from pipeline.api.store import Row
from pipeline.intervals import ceil_ms, floor_ms, origin_ms
from pipeline.tables import KLINES
from pipeline.times import now_ms

# A candle takes about 700 bytes.
MAX_CACHED_CANDLES = 20_000
# Beyond this, one read of all that lies between is cheaper.
MAX_GAPS = 8

# The start and end of a range, in ms.
Range = tuple[int, int]


class Series(NamedTuple):
    """The candles of one symbol and interval; their parts are stored in the interval `base`."""

    symbol: str
    base: str
    interval: str

    @property
    def length(self) -> int:
        return length_ms(self.interval)

    @property
    def parts(self) -> int:
        return parts_per_candle(self.interval, self.base)

    def floor(self, time_ms: int) -> int:
        """When the candle of this time opens."""
        return floor_ms(time_ms, self.length, origin_ms(self.interval))

    def opens_in(self, whole: Span) -> Range:
        """From and to where those candles open that open in the span."""
        length, origin = self.length, origin_ms(self.interval)
        return ceil_ms(whole.above.time_ms + 1, length, origin), ceil_ms(whole.below.time_ms, length, origin)

    def count(self, whole: Span) -> int:
        """How many candles may open in the span."""
        start, end = self.opens_in(whole)
        return max(0, end - start) // self.length


class AggregatedCandles:
    """May raise StoreUnavailable. The rows are shared between requests: do not change them."""

    def __init__(self, stored: StoredCandles, clock: Callable[[], int] = now_ms) -> None:
        self._stored = stored
        self._clock = clock
        self._cache = BucketCache(2 * MAX_CACHED_CANDLES)  # each candle is a list of its own

    def read(self, series: Series, whole: Span, count: int) -> Iterator[Row]:
        """Candles in the direction of the span. Of the first `count` that may be there, those in
        the cache are not read again; more are read when they are needed."""
        start, end = series.opens_in(whole)
        if series.count(whole) > count:
            newest = self._stored.newest_ms(series.symbol, series.base)
            end = start if newest is None else min(end, series.floor(newest) + series.length)
        if whole.forward:
            middle = min(end, start + count * series.length)
            yield from self._cached(series, (start, middle))
            rest = (middle, end)
        else:
            middle = max(start, end - count * series.length)
            yield from reversed(self._cached(series, (middle, end)))
            rest = (start, middle)
        if rest[0] < rest[1]:
            yield from self._read(series, rest, whole.forward, count)

    def _cached(self, series: Series, opens: Range) -> list[Row]:
        """The candles of a range, ascending, from the cache and the store."""
        found: dict[int, Row] = {}
        missing: list[int] = []
        for time_ms in range(*opens, series.length):
            cached = self._cache.get((series, time_ms))
            if cached is None:
                missing.append(time_ms)
            else:
                found[time_ms] = cached[0]
        for start, end in gaps(missing, series.length):
            for row in self._read(series, (start, end), True, (end - start) // series.length):
                found[row[KLINES.time]] = row
                # The exchange may correct a candle soon after it has closed.
                if row["is_closed"] and row["close_time"] < self._clock() - SETTLED_MS:
                    self._cache.put((series, row[KLINES.time]), [row])
        return [found[time_ms] for time_ms in sorted(found)]

    def _read(self, series: Series, opens: Range, forward: bool, count: int) -> Iterator[Row]:
        """Candles of a range, from the store. The parts of `count` of them are read at first."""
        parts = between(*opens, forward)
        rows = self._stored.read(series.symbol, series.base, parts, count * series.parts)
        return aggregate_candles(rows, series.interval, series.parts)


def gaps(times: Sequence[int], length: int) -> list[Range]:
    """The ranges that these times, ascending, make up."""
    found: list[Range] = []
    for time_ms in times:
        if found and found[-1][1] == time_ms:
            found[-1] = (found[-1][0], time_ms + length)
        else:
            found.append((time_ms, time_ms + length))
    return found if len(found) <= MAX_GAPS else [(found[0][0], found[-1][1])]
