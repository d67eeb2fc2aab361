"""Exact sums over any range of one pair's trades, from which candles and 24 h statistics are
built. Knows no wire format.

Whole blocks are added as blocks, partial ones trade by trade, whole hours come from a cache; the
result equals the sum over every single trade (a test compares)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from simulator.intervals import HOUR_MS
from simulator.market.blocks import Blocks
from simulator.market.trades import Trades

_CACHED_HOURS = 64


@dataclass(frozen=True, slots=True)
class Totals:
    """Prices in ticks, volumes in lots, quote volumes in ticks × lots; trades first_index …
    end_index - 1.

    Without any trade the four prices are the last price before the range and the volumes are zero.
    """

    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    taker_volume: int
    taker_quote_volume: int
    first_index: int
    end_index: int

    @property
    def is_empty(self) -> bool:
        return self.first_index == self.end_index


def joined(parts: Iterable[Totals]) -> Totals:
    """The totals of neighbouring ranges, at least one, in order of time."""
    every = list(parts)
    traded = [part for part in every if not part.is_empty]
    if len(traded) < 2:
        return traded[0] if traded else every[0]
    return Totals(
        traded[0].open,
        max(part.high for part in traded),
        min(part.low for part in traded),
        traded[-1].close,
        sum(part.volume for part in traded),
        sum(part.quote_volume for part in traded),
        sum(part.taker_volume for part in traded),
        sum(part.taker_quote_volume for part in traded),
        traded[0].first_index,
        traded[-1].end_index,
    )


class RangeTotals:
    """Totals of one pair for ranges of time."""

    def __init__(self, blocks: Blocks, trades: Trades) -> None:
        self._blocks = blocks
        self._trades = trades
        self._size = blocks.trades_per_block
        self._hour = lru_cache(_CACHED_HOURS)(lambda hour: self._added(hour * HOUR_MS, (hour + 1) * HOUR_MS))

    def between(self, start_ms: int, end_ms: int) -> Totals:
        """Trades at or after `start_ms` and before `end_ms`."""
        first_hour, end_hour = -(-start_ms // HOUR_MS), end_ms // HOUR_MS
        if first_hour >= end_hour:
            return self._added(start_ms, end_ms)
        parts = [self._hour(hour) for hour in range(first_hour, end_hour)]
        if start_ms < first_hour * HOUR_MS:
            parts.insert(0, self._added(start_ms, first_hour * HOUR_MS))
        if end_hour * HOUR_MS < end_ms:
            parts.append(self._added(end_hour * HOUR_MS, end_ms))
        return joined(parts)

    def _added(self, start_ms: int, end_ms: int) -> Totals:
        first, end = self._trades.count_until(start_ms - 1), self._trades.count_until(end_ms - 1)
        if first == end:
            price = self._trades.price_ticks(first - 1)
            return Totals(price, price, price, price, 0, 0, 0, 0, first, end)
        first_whole, end_whole = -(-first // self._size), end // self._size
        if first_whole >= end_whole:
            return self._of_trades(first, end)
        parts = [self._of_blocks(first_whole, end_whole)]
        if first < first_whole * self._size:
            parts.insert(0, self._of_trades(first, first_whole * self._size))
        if end_whole * self._size < end:
            parts.append(self._of_trades(end_whole * self._size, end))
        return joined(parts)

    def _of_blocks(self, first_block: int, end_block: int) -> Totals:
        volume = quote = taker = taker_quote = high = 0
        low = 1 << 62
        for level, activity, pattern in self._blocks.between(first_block, end_block):
            high = max(high, level + pattern.highest)
            low = min(low, level + pattern.lowest)
            volume += activity * pattern.sum_lots
            quote += activity * (level * pattern.sum_lots + pattern.sum_ticks_lots)
            taker += activity * pattern.taker_lots
            taker_quote += activity * (level * pattern.taker_lots + pattern.taker_ticks_lots)
        first, end = first_block * self._size, end_block * self._size
        opened, closed = self._trades.price_ticks(first), self._trades.price_ticks(end - 1)
        return Totals(opened, high, low, closed, volume, quote, taker, taker_quote, first, end)

    def _of_trades(self, first: int, end: int) -> Totals:
        rows = list(self._trades.between(first, end))
        prices = [row.price_ticks for row in rows]
        taken = [row for row in rows if not row.buyer_is_maker]
        return Totals(
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            sum(row.quantity_lots for row in rows),
            sum(row.price_ticks * row.quantity_lots for row in rows),
            sum(row.quantity_lots for row in taken),
            sum(row.price_ticks * row.quantity_lots for row in taken),
            first,
            end,
        )
