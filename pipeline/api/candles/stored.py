"""Stored candles. Viewers of one range request it with ends that differ by milliseconds: the range
is widened to whole candles, so that one read serves them all for a moment. Knows nothing of how
candles are aggregated."""

from collections.abc import Iterator

from pipeline.api.cache import Cache
from pipeline.api.history import OF_INTERVAL, History
from pipeline.api.max_age import ROWS_FRESH_SECONDS
from pipeline.api.paging import FIRST, LAST, Key, Span
from pipeline.api.store import Row
from pipeline.intervals import ceil_ms, floor_ms, max_interval_ms, origin_ms
from pipeline.tables import KLINES

# A candle takes about 700 bytes.
MAX_SHARED_CANDLES = 50_000


class StoredCandles:
    """The rows are shared between requests: do not change them. May raise StoreUnavailable."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._cache: Cache[list[Row]] = Cache(
            "rows", ROWS_FRESH_SECONDS, MAX_SHARED_CANDLES, lambda rows: len(rows) + 1
        )

    def read(self, symbol: str, interval: str, whole: Span, count: int) -> Iterator[Row]:
        """Candles in the direction of the span; `count` of them are read at first."""
        first = self._first(symbol, interval, whole, count)
        return self._history.partition(KLINES, OF_INTERVAL, (symbol, interval), whole, count, first)

    def newest_ms(self, symbol: str, interval: str) -> int | None:
        """When the newest candle opens."""
        found = self._first(symbol, interval, Span(FIRST, LAST, forward=False), 1)
        return found[0][KLINES.time] if found else None

    def _first(self, symbol: str, interval: str, whole: Span, count: int) -> list[Row]:
        """The first `count` candles of the span. One more is read, because one may open between
        the end of this span and that of the wider one."""
        wide = widened(whole, interval)
        key = (symbol, interval, wide.above, wide.below, wide.forward, count)
        found = self._cache.get_or_read(key, lambda: self._read(symbol, interval, wide, count + 1))
        inside = [row for row in found if whole.above.time_ms < row[KLINES.time] < whole.below.time_ms]
        if len(inside) < count < len(found):
            # More than one opens there, because they do not open at multiples of their interval.
            return self._read(symbol, interval, whole, count)
        return inside[:count]

    def _read(self, symbol: str, interval: str, whole: Span, count: int) -> list[Row]:
        return self._history.read(KLINES, OF_INTERVAL, [((symbol, interval), whole)], whole.forward, count)[0]


def widened(whole: Span, interval: str) -> Span:
    """The span with its ends moved outwards to where candles open."""
    length, origin = max_interval_ms(interval), origin_ms(interval)
    above = Key(floor_ms(whole.above.time_ms + 1, length, origin) - 1, whole.above.id)
    return Span(above, Key(ceil_ms(whole.below.time_ms, length, origin), whole.below.id), whole.forward)
