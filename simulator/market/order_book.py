"""The order book of one pair around its last trade. Knows of the trades only the last one; knows no
HTTP.

Levels have fixed prices. The quantity of each is drawn again every few seconds, at a different time
per level, so the book changes gradually, and a price that stays in the book keeps its quantity
between two draws."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.market.hashing import bits, named_seed
from simulator.market.instruments import Instrument
from simulator.market.patterns import spread_ticks
from simulator.market.trades import Trade, Trades

# Quantities change in steps of this length even when nothing is traded.
UPDATE_MS = 100
# The quantity of a level stays the same for this many steps.
_LEVEL_LIFE = 80

Level = tuple[int, int]
"""(price in ticks, quantity in lots)"""


@dataclass(frozen=True, slots=True)
class Book:
    """Best first; `bids` descend, `asks` ascend, best bid < best ask."""

    update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class OrderBook:
    """The book of one pair at any time."""

    def __init__(self, seed: int, instrument: Instrument, trades: Trades) -> None:
        self._trades = trades
        self._spread_ticks = spread_ticks(instrument)
        self._seed = named_seed(seed, instrument.listing.symbol, "book")
        self._mean_lots = max(2, int(instrument.mean_quantity * 10**instrument.listing.quantity_decimals))

    def at(self, now_ms: int, limit: int) -> Book:
        """At most `limit` levels per side."""
        step = now_ms // UPDATE_MS
        traded = self._trades.count_until(now_ms)
        best_bid, best_ask = self._best(self._trades.one(traded - 1))
        # Both terms only grow, so a larger id means a later book, and equal ids mean the same book.
        return Book(
            step + traded,
            tuple(self._side(best_bid, -1, limit, step)),
            tuple(self._side(best_ask, 1, limit, step)),
        )

    def _best(self, last: Trade) -> Level:
        """(best bid, best ask) in ticks: the last trade was at the bid if its buyer was the maker,
        else at the ask."""
        if last.buyer_is_maker:
            return last.price_ticks, last.price_ticks + self._spread_ticks
        return last.price_ticks - self._spread_ticks, last.price_ticks

    def _side(self, best: int, direction: int, limit: int, step: int) -> Iterator[Level]:
        price, levels = best, 0
        while levels < limit and price > 0:
            presence = bits(self._seed, price)
            # A quarter of the prices are empty, always the same ones; the best price never is.
            if price == best or presence & 3:
                age = (step + presence % _LEVEL_LIFE) // _LEVEL_LIFE
                draw = bits(presence, age) & 1023
                yield price, 1 + self._mean_lots * (draw + 16) // 256
                levels += 1
            price += direction
