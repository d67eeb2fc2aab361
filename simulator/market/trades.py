"""The trades of one pair, by index and by time. Knows blocks; knows no candle and no HTTP.

A trade's id is its index since EPOCH_MS, so ids are consecutive and are found by time without a
search."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.market.blocks import EPOCH_MS, Blocks
from simulator.market.raw_ids import RawIds


@dataclass(frozen=True, slots=True)
class Trade:
    """One aggregate trade; `index` is its id, the raw ids are inclusive."""

    index: int
    price_ticks: int
    quantity_lots: int
    first_raw_id: int
    last_raw_id: int
    time_ms: int
    buyer_is_maker: bool


class Trades:
    """Any trade of the pair by index or by time."""

    def __init__(self, blocks: Blocks, raw_ids: RawIds) -> None:
        self._blocks = blocks
        self.raw_ids = raw_ids
        self._size = blocks.trades_per_block

    def count_until(self, time_ms: int) -> int:
        """How many trades happened at or before `time_ms`: the index of the first trade after
        it."""
        block, offset_ms = divmod(time_ms - EPOCH_MS, self._blocks.block_ms)
        _, _, pattern = self._blocks.at(block)
        return block * self._size + bisect_right(pattern.offsets_ms, offset_ms)

    def price_ticks(self, index: int) -> int:
        block, place = divmod(index, self._size)
        level_ticks, _, pattern = self._blocks.at(block)
        return level_ticks + pattern.ticks[place]

    def one(self, index: int) -> Trade:
        return next(self.between(index, index + 1))

    def between(self, first_index: int, end_index: int) -> Iterator[Trade]:
        """Trades first_index … end_index - 1, in order."""
        raw_id = self.raw_ids.first(first_index)
        for block in range(first_index // self._size, -(-end_index // self._size)):
            level_ticks, activity, pattern = self._blocks.at(block)
            start = block * self._size
            start_ms = EPOCH_MS + block * self._blocks.block_ms
            for place in range(max(0, first_index - start), min(self._size, end_index - start)):
                next_raw_id = self.raw_ids.first(start + place + 1)
                yield Trade(
                    start + place,
                    level_ticks + pattern.ticks[place],
                    activity * pattern.lots[place],
                    raw_id,
                    next_raw_id - 1,
                    start_ms + pattern.offsets_ms[place],
                    pattern.buyer_is_maker[place],
                )
                raw_id = next_raw_id
