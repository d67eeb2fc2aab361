"""Candles: the stored ones, and longer ones merged from them as they are read. Knows how candles
add up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice

from pipeline.api.downsampling.buckets import bucket_ms
from pipeline.api.downsampling.sampling import Sampled, in_order, points_each, range_of
from pipeline.api.history import History, Page, between, first_read, page
from pipeline.api.market import Market
from pipeline.api.paging import Key, Span, span
from pipeline.api.query import BadParameter, Query
from pipeline.api.store import Row
from pipeline.intervals import LADDER, base_of, ceil_ms, floor_ms, interval_ms, interval_name, origin_ms
from pipeline.tables import KLINES
from pipeline.times import DAY_MS

# Stored candles that one request may read: a month of minutes.
MOST_READ = 45_000
SUMS = ("volume", "quote_volume", "number_of_trades", "taker_buy_volume", "taker_buy_quote_volume")
PARTITION = "symbol = ? AND interval = ?"


class Candles:
    """The reads of candles. Every one may raise StoreUnavailable, and BadParameter for an interval
    that cannot be."""

    def __init__(self, history: History, market: Market) -> None:
        self._history = history
        self._market = market

    def page(self, query: Query) -> Page:
        """Candles of any interval; without symbols, of all that have it."""
        bases = self.bases(query)
        if not bases:
            return Page([])
        most_parts = max(parts_of(query.interval, base) for base in bases.values())
        if most_parts > MOST_READ:
            raise BadParameter("interval", f"interval: each candle would be merged from {most_parts} stored ones")
        # A page is never larger than what may be read for it; the Link header leads on.
        limit = min(query.limit, max(1, MOST_READ // most_parts - 1))
        smaller = replace(query, limit=limit)
        count = first_read(limit, len(bases))
        streams = [self._stream(symbol, base, smaller, count) for symbol, base in bases.items()]
        return page(streams, KLINES.time, smaller)

    def bases(self, query: Query) -> dict[str, str]:
        """Which stored interval to read, by symbol."""
        stored = self._market.stored_intervals()
        symbols = query.symbols or tuple(sorted(stored))
        found = {symbol: base_of(query.interval, stored.get(symbol, set())) for symbol in symbols}
        every = set().union(*stored.values())
        if every and base_of(query.interval, every) is None:
            have = ", ".join(sorted(every, key=lambda name: interval_ms(name) or 0))
            raise BadParameter("interval", f"interval: no multiple of a stored interval; stored are {have}")
        return {symbol: base for symbol, base in found.items() if base is not None}

    def _stream(self, symbol: str, base: str, query: Query, count: int) -> Iterator[Row]:
        whole = span(query.from_ms, query.to_ms, query.forward, query.cursor, symbol)
        if base == query.interval:
            return self._stored(symbol, base, whole, count)
        parts = parts_of(query.interval, base)
        rows = self._stored(symbol, base, parts_span(whole, query.interval), count * parts)
        return merged(rows, query.interval, parts)

    def sampled(self, query: Query, now_ms: int) -> Sampled:
        """Candles of the smallest interval, from the one asked for upwards, that makes few enough
        rows. Of a range that is too wide to be read, the newest are there."""
        from_ms, to_ms = range_of(query, now_ms)
        interval = wider_interval(query, from_ms, to_ms)
        bases = self.bases(replace(query, interval=interval))
        whole = between(from_ms, to_ms, forward=False)
        rows, complete_from, most_read = [], None, MOST_READ // max(1, len(bases))
        for symbol, base in bases.items():
            left = whole if base == interval else parts_span(whole, interval)
            read = list(islice(self._stored(symbol, base, left, most_read), most_read))
            found = read if base == interval else list(merged(iter(read), interval, parts_of(interval, base)))
            if len(read) == most_read and len(found) > 1:
                found.pop()  # the oldest may lack parts
                complete_from = max(complete_from or 0, found[-1]["open_time"])
            rows += found
        kept = [row for row in rows if complete_from is None or row["open_time"] >= complete_from]
        return Sampled(in_order(kept, KLINES.name), complete_from)

    def _stored(self, symbol: str, interval: str, whole: Span, count: int) -> Iterator[Row]:
        """Stored candles in the direction of the span, `count` of them read at first."""
        values = (symbol, interval)
        (first,) = self._history.read(KLINES.name, PARTITION, [(values, whole)], whole.forward, count)
        return self._history.partition(KLINES.name, PARTITION, values, whole, count, first)


def parts_span(whole: Span, interval: str) -> Span:
    """Where the parts of the candles are that open in a span."""
    length, origin = interval_ms(interval), origin_ms(interval)
    above = Key(ceil_ms(whole.above.time_ms + 1, length, origin) - 1, whole.above.id)
    return Span(above, Key(ceil_ms(whole.below.time_ms, length, origin), whole.below.id), whole.forward)


def wider_interval(query: Query, from_ms: int, to_ms: int) -> str:
    """The interval asked for, or the next step that is a multiple of it, so that there are at most
    `points` rows."""
    asked = interval_ms(query.interval)
    if asked is None or asked > DAY_MS:
        return query.interval  # longer ones need not begin at multiples of their length (base_of)
    steps = [asked, *(step for step in LADDER if step > asked and step % asked == 0)]
    width = bucket_ms(from_ms, to_ms, points_each(query), steps, unit=asked)
    return query.interval if width == asked else interval_name(width)


def parts_of(interval: str, base: str) -> int:
    """How many stored candles make one."""
    return 1 if interval == base else interval_ms(interval) // interval_ms(base)


def merged(rows: Iterator[Row], interval: str, parts: int) -> Iterator[Row]:
    """Longer candles from shorter ones, which come in either direction."""
    length, origin = interval_ms(interval), origin_ms(interval)
    for open_time, group in groupby(rows, lambda row: floor_ms(row["open_time"], length, origin)):
        yield merge_candles(sorted(group, key=lambda row: row["open_time"]), interval, open_time, length, parts)


def merge_candles(rows: Sequence[Row], interval: str, open_time: int, length: int, parts: int) -> Row:
    """One candle from its parts, ascending. It is closed when all of them are there and closed."""
    return {
        **rows[-1],
        "interval": interval,
        "open_time": open_time,
        "close_time": open_time + length - 1,
        "open_price": rows[0]["open_price"],
        "high_price": most(max, rows, "high_price"),
        "low_price": most(min, rows, "low_price"),
        **{name: most(sum, rows, name) for name in SUMS},
        "is_closed": len(rows) == parts and all(row["is_closed"] for row in rows),
        "updated_at": most(max, rows, "updated_at"),
    }


def most(function, rows: Sequence[Row], name: str) -> float | int | None:
    """`function` of the values that are there; None when there are none."""
    values = [row[name] for row in rows if row[name] is not None]
    return function(values) if values else None
