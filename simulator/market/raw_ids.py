"""The raw trades in each aggregate trade. Knows indices only; knows no price and no time.

Real counts come in waves, which charts show, so the number of raw trades per aggregate trade
(about four) varies. To find the first raw id of any trade without adding up all earlier ones, the
variation is the slope of a bounded curve."""

from simulator.market.hashing import bits, named_seed

_MEAN_RAW = 4
# Lengths of the waves in trades, powers of two so that all arithmetic is exact in units of 1/_UNIT.
_WAVES = (64, 2_048)
_UNIT = 2_048
# Maximum slope of one wave. The sum of both is at most _MEAN_RAW - 1, so every trade contains at
# least one raw trade.
_MAX_SLOPE = 1.5


class RawIds:
    """Raw trade ids of one pair; the ranges of neighbouring aggregate trades have no gap."""

    def __init__(self, seed: int, symbol: str) -> None:
        self._waves = tuple((length, named_seed(seed, symbol, "raw ids", length)) for length in _WAVES)

    def first(self, index: int) -> int:
        """The first raw id of aggregate trade `index`; trade 0 begins near 0."""
        units = _MEAN_RAW * index * _UNIT
        for length, seed in self._waves:
            node, step = divmod(index, length)
            here, there = bits(seed, node) & 1, bits(seed, node + 1) & 1
            units += int(_MAX_SLOPE * _UNIT) * (here * length + (there - here) * step)
        return units // _UNIT

    def count(self, first_index: int, end_index: int) -> int:
        """The number of raw trades in the aggregate trades first_index … end_index - 1."""
        return self.first(end_index) - self.first(first_index)
