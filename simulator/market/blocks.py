"""The history of one pair as a sequence of blocks, each a pattern at a price level. Knows no candle
and no wire format.

Time is cut into blocks of equal length since EPOCH_MS. Block n has a level (from the price path),
an activity and one of the pair's patterns, all from a hash of n: nothing is stored, and the same
request always has the same result. Blocks are grouped in segments of one minute (five for quiet
pairs): one step of the price path and one draw of the hashes per segment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import exp

from simulator.intervals import MINUTE_MS
from simulator.market.hashing import bits, named_seed, unit
from simulator.market.instruments import Instrument
from simulator.market.patterns import MEAN_ACTIVITY, PATTERNS, Pattern, make_patterns
from simulator.market.price_path import GRID_MINUTES

# 2025-01-01T00:00:00Z. Trade 0 of every pair is in the first block after it; nothing exists before.
EPOCH_MS = 1_735_689_600_000
_CACHED_SEGMENTS = 128

_PATTERN_BITS = PATTERNS.bit_length() - 1

LogPrice = Callable[[int, int], float]
Block = tuple[int, int, Pattern]
"""(level in ticks, activity, pattern)"""


@dataclass(frozen=True, slots=True)
class _Segment:
    first_ticks: int
    change_ticks: int
    activity: int
    pattern_draw: int  # four bits for each of at most 16 blocks


class Blocks:
    """Any block of the pair by its number."""

    def __init__(self, seed: int, instrument: Instrument, log_price: LogPrice) -> None:
        self.block_ms = instrument.block_ms
        self.trades_per_block = instrument.trades_per_block
        self._log_price = log_price
        self._base_ticks = instrument.base_price * 10**instrument.listing.price_decimals
        self._grid = 0 if instrument.block_ms <= MINUTE_MS else 1
        self._blocks_per_segment = GRID_MINUTES[self._grid] * MINUTE_MS // instrument.block_ms
        self._usual_move = instrument.base.daily_volatility * (GRID_MINUTES[self._grid] / 1_440) ** 0.5
        self._pattern_seed = named_seed(seed, instrument.listing.symbol, "pattern")
        self._activity_seed = named_seed(seed, instrument.listing.symbol, "activity")
        self.patterns = make_patterns(seed, instrument)
        self._segment = lru_cache(_CACHED_SEGMENTS)(self._make_segment)

    def at(self, block: int) -> Block:
        number, step = divmod(block, self._blocks_per_segment)
        return self._block(self._segment(number), step)

    def between(self, first_block: int, end_block: int) -> Iterator[Block]:
        """Blocks first_block … end_block - 1, in order."""
        count = self._blocks_per_segment
        for number in range(first_block // count, -(-end_block // count)):
            segment, start = self._segment(number), number * count
            for step in range(max(0, first_block - start), min(count, end_block - start)):
                yield self._block(segment, step)

    def _block(self, segment: _Segment, step: int) -> Block:
        level_ticks = segment.first_ticks + segment.change_ticks * step // self._blocks_per_segment
        pattern = segment.pattern_draw >> (_PATTERN_BITS * step) & (PATTERNS - 1)
        return level_ticks, segment.activity, self.patterns[pattern]

    def _make_segment(self, segment: int) -> _Segment:
        here = self._log_price(self._grid, segment)
        there = self._log_price(self._grid, segment + 1)
        first_ticks = max(1, round(self._base_ticks * exp(here)))
        change_ticks = max(1, round(self._base_ticks * exp(there))) - first_ticks
        activity = self._activity(segment, abs(there - here))
        return _Segment(first_ticks, change_ticks, activity, bits(self._pattern_seed, segment))

    def _activity(self, segment: int, move: float) -> int:
        """More is traded when the price moves; besides, activity varies at random from segment to
        segment and from hour to hour."""
        hour = segment * GRID_MINUTES[self._grid] // 60
        variation = unit(self._activity_seed, segment) + unit(self._activity_seed, -1 - hour) - 1
        move_factor = 0.6 + 0.6 * min(3.0, move / self._usual_move)
        return max(1, round(MEAN_ACTIVITY * exp(0.8 * variation) * move_factor))
