"""Pages and downsampled ranges of candles of any interval. Knows which stored interval to read;
knows nothing of HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from pipeline.api.candles.aggregated import AggregatedCandles, Series
from pipeline.api.candles.aggregation import aggregate_candles, parts_per_candle
from pipeline.api.candles.stored import StoredCandles
from pipeline.api.cassandra_state import CassandraState
from pipeline.api.downsampling.buckets import bucket_ms
from pipeline.api.downsampling.sampling import Downsampled, points_per_symbol, range_of, sorted_by_time
from pipeline.api.history import History, Page, between, first_read, page
from pipeline.api.paging import Span, span
from pipeline.api.query import BadParameter, Query
from pipeline.api.store import Row
from pipeline.intervals import LADDER, base_of, interval_ms, interval_name
from pipeline.tables import KLINES
from pipeline.times import DAY_MS

# Stored candles that one request may read: a month of 1-minute candles.
MAX_READ = 45_000


class Candles:
    """The reads of candles. They may raise StoreUnavailable, and BadParameter for an interval that
    no stored one can be aggregated to."""

    def __init__(self, history: History, state: CassandraState) -> None:
        self._stored = StoredCandles(history)
        self._aggregated = AggregatedCandles(self._stored)
        self._state = state

    def page(self, query: Query) -> Page:
        """Candles of any interval; without symbols, of all symbols that have it."""
        bases = self._bases(query)
        if not bases:
            return Page([])
        max_parts = max(parts_per_candle(query.interval, base) for base in bases.values())
        if max_parts > MAX_READ:
            raise BadParameter("interval", f"interval: each candle would be merged from {max_parts} stored ones")
        # A page may need no more than MAX_READ stored candles; the Link header leads to the next.
        limit = min(query.limit, max(1, MAX_READ // max_parts - 1))
        limited = replace(query, limit=limit)
        count = first_read(limit, len(bases))
        streams = [self._stream(symbol, base, limited, count) for symbol, base in bases.items()]
        return page(streams, KLINES, limited)

    def downsample(self, query: Query, now_ms: int) -> Downsampled:
        """Candles of the smallest interval, from the requested one upwards, that gives at most
        `points` rows. Of a range that is too wide to be read, only the newest candles."""
        from_ms, to_ms = range_of(query, now_ms)
        interval = wider_interval(query, from_ms, to_ms)
        bases = self._bases(replace(query, interval=interval))
        whole = between(from_ms, to_ms, forward=False)
        max_read = MAX_READ // max(1, len(bases))
        rows: list[Row] = []
        complete_from: int | None = None
        for symbol, base in bases.items():
            candles, is_cut = self._newest(symbol, base, interval, whole, max_read)
            if is_cut:
                complete_from = max(complete_from or 0, candles[-1]["open_time"])
            rows += candles
        if complete_from is not None:
            rows = [row for row in rows if row["open_time"] >= complete_from]
        return Downsampled(sorted_by_time(rows, KLINES), complete_from)

    def _bases(self, query: Query) -> dict[str, str]:
        """Which stored interval to read, by symbol."""
        stored = self._state.stored_intervals()
        symbols = query.symbols or tuple(sorted(stored))
        bases = {symbol: base_of(query.interval, stored.get(symbol, set())) for symbol in symbols}
        all_stored: set[str] = set().union(*stored.values())
        if all_stored and base_of(query.interval, all_stored) is None:
            listed = ", ".join(sorted(all_stored, key=lambda name: interval_ms(name) or 0))
            raise BadParameter("interval", f"interval: no multiple of a stored interval; stored are {listed}")
        return {symbol: base for symbol, base in bases.items() if base is not None}

    def _stream(self, symbol: str, base: str, query: Query, count: int) -> Iterator[Row]:
        """Candles of the requested interval; at first as many stored ones are read as `count` of
        them need."""
        whole = span(query.from_ms, query.to_ms, query.forward, query.cursor, symbol)
        if base == query.interval:
            return self._stored.read(symbol, base, whole, count)
        return self._aggregated.read(Series(symbol, base, query.interval), whole, count)

    def _newest(self, symbol: str, base: str, interval: str, whole: Span, max_read: int) -> tuple[list[Row], bool]:
        """Candles of `interval`, newest first, from at most `max_read` stored ones, and whether
        older ones were left out for that reason."""
        if base == interval:
            stored = candles = list(islice(self._stored.read(symbol, base, whole, max_read), max_read))
        else:
            series = Series(symbol, base, interval)
            max_candles = max_read // series.parts
            if series.count(whole) <= max_candles:
                return list(self._aggregated.read(series, whole, max_candles)), False
            parts = between(*series.opens_in(whole), forward=False)
            stored = list(islice(self._stored.read(symbol, base, parts, max_read), max_read))
            candles = list(aggregate_candles(iter(stored), interval, series.parts))
        if len(stored) < max_read or len(candles) < 2:
            return candles, False
        return candles[:-1], True  # the oldest may lack parts


def wider_interval(query: Query, from_ms: int, to_ms: int) -> str:
    """The requested interval, or the next step that is a multiple of it, such that there are at
    most `points` rows."""
    requested = interval_ms(query.interval)
    if requested is None or requested > DAY_MS:
        return query.interval  # longer ones need not open at multiples of their length (base_of)
    steps = [requested, *(step for step in LADDER if step > requested and step % requested == 0)]
    width = bucket_ms(from_ms, to_ms, points_per_symbol(query), steps, unit=requested)
    return query.interval if width == requested else interval_name(width)
