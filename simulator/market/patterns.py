"""The trades inside a block, relative to the block's price level. Knows no time of day and no
level.

A pair has 16 patterns; each block of its history is one of them, shifted to the block's level and
multiplied by its activity. The sums over a pattern are computed once, so adding a whole block to a
candle costs one addition."""

from dataclasses import dataclass
from itertools import accumulate
from math import log, sqrt

from simulator.market.hashing import bits, named_seed, unit
from simulator.market.instruments import Instrument

PATTERNS = 16
# Quantities here are for activity 1; a block multiplies them by about this (see `blocks.py`).
MEAN_ACTIVITY = 12


@dataclass(frozen=True, slots=True)
class Pattern:
    """One value per trade, in order of id: ms since the block's start (ascending), ticks relative
    to its level, lots."""

    offsets_ms: tuple[int, ...]
    ticks: tuple[int, ...]
    lots: tuple[int, ...]
    buyer_is_maker: tuple[bool, ...]
    highest: int
    lowest: int
    sum_lots: int
    sum_ticks_lots: int
    taker_lots: int  # the same two sums over the trades whose buyer was the taker
    taker_ticks_lots: int


def _offsets(seed: int, instrument: Instrument) -> tuple[int, ...]:
    slot_ms = instrument.block_ms // instrument.trades_per_block
    offsets: list[int] = []
    for trade in range(instrument.trades_per_block):
        draw = bits(seed, trade)
        # On the exchange about a fifth of neighbouring trades share their millisecond (measured).
        if trade and draw % 5 == 0:
            offsets.append(offsets[-1])
        else:
            offsets.append(trade * slot_ms + (draw >> 8) % slot_ms)
    return tuple(offsets)


def _bridge(seed: int, count: int, step: float) -> list[float]:
    """A random walk that ends where it began, so that one block's last price leads into the next
    block's first."""
    walk = list(accumulate(step * (2 * unit(seed, 1_000 + trade) - 1) * sqrt(3) for trade in range(count)))
    return [height - walk[-1] * (trade + 1) / count for trade, height in enumerate(walk)]


def _make(seed: int, instrument: Instrument) -> Pattern:
    count = instrument.trades_per_block
    listing = instrument.listing
    ticks_per_price = instrument.base_price * 10**listing.price_decimals
    block_move = instrument.base.daily_volatility * sqrt(instrument.block_ms / 86_400_000)
    step = 0.7 * ticks_per_price * block_move / sqrt(count)
    spread = spread_ticks(instrument)
    mean_lots = instrument.mean_quantity * 10**listing.quantity_decimals / MEAN_ACTIVITY
    ticks, lots, makers = [], [], []
    for trade, walk in enumerate(_bridge(seed, count, step)):
        makers.append(unit(seed, 2_000 + trade) < 0.5)
        # A trade whose buyer is the maker is at the bid; one whose buyer is the taker is at the
        # ask.
        ticks.append(round(walk) if makers[-1] else round(walk) + spread)
        lots.append(1 + int(-log(1 - unit(seed, 3_000 + trade)) * mean_lots))
    taken = [trade for trade in range(count) if not makers[trade]]
    return Pattern(
        _offsets(named_seed(seed, "offsets"), instrument),
        tuple(ticks),
        tuple(lots),
        tuple(makers),
        max(ticks),
        min(ticks),
        sum(lots),
        sum(t * q for t, q in zip(ticks, lots)),
        sum(lots[trade] for trade in taken),
        sum(ticks[trade] * lots[trade] for trade in taken),
    )


def spread_ticks(instrument: Instrument) -> int:
    """Between best bid and best ask: 0.01 % of the price, but from one to three ticks."""
    ticks_per_price = instrument.base_price * 10**instrument.listing.price_decimals
    return max(1, min(int(ticks_per_price / 10_000), 3))


def make_patterns(seed: int, instrument: Instrument) -> tuple[Pattern, ...]:
    """The pair's patterns. Each takes a tenth of a millisecond, so they are computed when the pair
    is first requested."""
    return tuple(_make(named_seed(seed, instrument.listing.symbol, n), instrument) for n in range(PATTERNS))
