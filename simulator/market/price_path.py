"""The slow movement of an asset's price: a fractal curve over time. Knows no pair, tick or trade.

Nested grids from 1 minute to 18 days: a node's value is the straight line between its two
neighbours on the next coarser grid, displaced by a hash. Any node therefore costs a handful of
hashes, however distant in time."""

from functools import lru_cache
from itertools import pairwise
from math import sqrt

from simulator.market.hashing import named_seed, unit

GRID_MINUTES = (1, 5, 30, 120, 720, 4_320, 25_920)
_RATIOS = tuple(coarse // fine for fine, coarse in pairwise(GRID_MINUTES))
_COARSEST = len(GRID_MINUTES) - 1
# Per path, and there are hundreds of paths: caching pays only for neighbours in time.
_CACHED_NODES = 256


class PricePath:
    """log(price / base price) of one asset at the nodes of the grids."""

    def __init__(self, seed: int, asset: str, daily_volatility: float) -> None:
        self._seeds = tuple(named_seed(seed, asset, "path", minutes) for minutes in GRID_MINUTES)
        # Displacements grow with the square root of time, as in a random walk.
        self._amplitudes = tuple(daily_volatility * sqrt(minutes / 1_440) for minutes in GRID_MINUTES)
        self.log_at = lru_cache(_CACHED_NODES)(self._log_at)

    def _log_at(self, grid: int, node: int) -> float:
        displacement = self._amplitudes[grid] * (2 * unit(self._seeds[grid], node) - 1)
        if grid == _COARSEST:
            return displacement
        parent, step = divmod(node, _RATIOS[grid])
        left = self.log_at(grid + 1, parent)
        right = self.log_at(grid + 1, parent + 1)
        return left + (right - left) * step / _RATIOS[grid] + displacement
