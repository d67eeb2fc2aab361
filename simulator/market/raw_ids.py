"""Which raw trades each aggregate trade stands for. Knows indices only; knows no price and no time.

Real counts come in waves, and charts show them, so the number of raw trades per aggregate trade
(about four) drifts. To know the first raw id of any trade without adding up all before it, the
drift is the slope of a bounded curve."""

from simulator.market.hashing import bits, named_seed

_MEAN_RAW = 4
# Lengths of the waves in trades, powers of two so that all arithmetic is exact in units of 1/_UNIT.
_WAVES = (64, 2_048)
_UNIT = 2_048
# Steepest slope of one wave. Together they stay below _MEAN_RAW - 1, so every trade stands for at
# least one raw trade.
_SLOPE_PER_WAVE = 1.5


class RawIds:
    """Raw trade ids of one pair; the ranges of neighbouring aggregate trades abut."""

    def __init__(self, seed: int, symbol: str) -> None:
        self._waves = tuple((length, named_seed(seed, symbol, "raw ids", length)) for length in _WAVES)

    def first(self, index: int) -> int:
        """The raw id with which aggregate trade `index` begins; 0 is somewhere near the first."""
        units = _MEAN_RAW * index * _UNIT
        for length, seed in self._waves:
            node, step = divmod(index, length)
            here, there = bits(seed, node) & 1, bits(seed, node + 1) & 1
            units += int(_SLOPE_PER_WAVE * _UNIT) * (here * length + (there - here) * step)
        return units // _UNIT

    def count(self, first_index: int, end_index: int) -> int:
        """How many raw trades the aggregate trades first_index … end_index - 1 stand for."""
        return self.first(end_index) - self.first(first_index)
