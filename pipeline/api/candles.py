"""Candles: the stored ones, and longer ones aggregated from them when they are read. Knows how
candles are aggregated."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice
from typing import Any

from pipeline.api.cassandra_state import CassandraState
from pipeline.api.downsampling.buckets import bucket_ms
from pipeline.api.downsampling.sampling import Downsampled, points_per_symbol, range_of, sorted_by_time
from pipeline.api.exact import exact_sum
from pipeline.api.history import OF_INTERVAL, History, Page, between, first_read, page
from pipeline.api.paging import Key, Span, span
from pipeline.api.query import BadParameter, Query
from pipeline.api.store import Row
from pipeline.intervals import LADDER, base_of, ceil_ms, floor_ms, interval_ms, interval_name, origin_ms
from pipeline.tables import KLINES
from pipeline.times import DAY_MS

# Stored candles that one request may read: a month of 1-minute candles.
MAX_READ = 45_000
SUMMED = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume")


class Candles:
    """The reads of candles. They may raise StoreUnavailable, and BadParameter for an interval that
    no stored one can be aggregated to."""

    def __init__(self, history: History, stored: CassandraState) -> None:
        self._history = history
        self._state = stored

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
            return self._stored(symbol, base, whole, count)
        parts = parts_per_candle(query.interval, base)
        rows = self._stored(symbol, base, parts_span(whole, query.interval), count * parts)
        return aggregate_candles(rows, query.interval, parts)

    def _newest(self, symbol: str, base: str, interval: str, whole: Span, max_read: int) -> tuple[list[Row], bool]:
        """Candles of `interval`, newest first, from at most `max_read` stored ones, and whether
        older ones were left out for that reason."""
        if base == interval:
            candles = stored = list(islice(self._stored(symbol, base, whole, max_read), max_read))
        else:
            stored = list(islice(self._stored(symbol, base, parts_span(whole, interval), max_read), max_read))
            candles = list(aggregate_candles(iter(stored), interval, parts_per_candle(interval, base)))
        if len(stored) < max_read or len(candles) < 2:
            return candles, False
        return candles[:-1], True  # the oldest may lack parts

    def _stored(self, symbol: str, interval: str, whole: Span, count: int) -> Iterator[Row]:
        """Stored candles in the direction of the span; `count` of them are read at first."""
        values = (symbol, interval)
        (first,) = self._history.read(KLINES, OF_INTERVAL, [(values, whole)], whole.forward, count)
        return self._history.partition(KLINES, OF_INTERVAL, values, whole, count, first)


def length_ms(interval: str) -> int:
    """Milliseconds of an interval with a fixed length. Raises ValueError for a month; callers
    exclude it, because no other interval is aggregated to a month (base_of)."""
    length = interval_ms(interval)
    if length is None:
        raise ValueError(f"{interval} has no fixed length")
    return length


def parts_span(whole: Span, interval: str) -> Span:
    """The span of the parts of the candles that open in a span."""
    length, origin = length_ms(interval), origin_ms(interval)
    above = Key(ceil_ms(whole.above.time_ms + 1, length, origin) - 1, whole.above.id)
    return Span(above, Key(ceil_ms(whole.below.time_ms, length, origin), whole.below.id), whole.forward)


def wider_interval(query: Query, from_ms: int, to_ms: int) -> str:
    """The requested interval, or the next step that is a multiple of it, such that there are at
    most `points` rows."""
    requested = interval_ms(query.interval)
    if requested is None or requested > DAY_MS:
        return query.interval  # longer ones need not open at multiples of their length (base_of)
    steps = [requested, *(step for step in LADDER if step > requested and step % requested == 0)]
    width = bucket_ms(from_ms, to_ms, points_per_symbol(query), steps, unit=requested)
    return query.interval if width == requested else interval_name(width)


def parts_per_candle(interval: str, base: str) -> int:
    """How many stored candles one candle is aggregated from."""
    return 1 if interval == base else length_ms(interval) // length_ms(base)


def aggregate_candles(rows: Iterator[Row], interval: str, parts: int) -> Iterator[Row]:
    """Longer candles from shorter ones, in the same direction, ascending or descending."""
    length, origin = length_ms(interval), origin_ms(interval)
    for open_time, group in groupby(rows, lambda row: floor_ms(row["open_time"], length, origin)):
        ascending = sorted(group, key=lambda row: row["open_time"])
        yield aggregate_candle(ascending, interval, open_time, length, parts)


def aggregate_candle(rows: Sequence[Row], interval: str, open_time: int, length: int, parts: int) -> Row:
    """One candle from its parts, which ascend. It is closed if all parts are present and closed."""
    return {
        **rows[-1],
        "interval": interval,
        "open_time": open_time,
        "close_time": open_time + length - 1,
        "open_price": rows[0]["open_price"],
        "high_price": aggregate(max, rows, "high_price"),
        "low_price": aggregate(min, rows, "low_price"),
        **{name: aggregate(exact_sum, rows, name) for name in SUMMED},
        "number_of_trades": aggregate(sum, rows, "number_of_trades"),
        "is_closed": len(rows) == parts and all(row["is_closed"] for row in rows),
        "updated_at": aggregate(max, rows, "updated_at"),
    }


def aggregate(function: Callable[[list[Any]], Any], rows: Sequence[Row], name: str) -> Any:
    """`function` of the column's values; None if all are null."""
    values = [row[name] for row in rows if row[name] is not None]
    return function(values) if values else None
