"""Candles of a made-up market whose volatility comes and goes, as in a real one."""

import math
import random
from collections.abc import Iterator

from pipeline.forecast.minutes import Candle
from pipeline.intervals import MINUTE_MS

STEPS_PER_MINUTE = 8


def random_candles(start_ms: int, count: int, seed: int = 1, price: float = 100.0) -> Iterator[Candle]:
    """`count` minutes from `start_ms` on; the same for the same seed. The log volatility is an
    AR(1) process with a half-life of about two hours."""
    dice = random.Random(seed)
    level = 0.0
    for number in range(count):
        level = 0.994 * level + dice.gauss(0, 0.08)
        deviation = 0.0006 * math.exp(level) / math.sqrt(STEPS_PER_MINUTE)
        path = [price]
        for _ in range(STEPS_PER_MINUTE):
            path.append(path[-1] * math.exp(dice.gauss(0, deviation)))
        price = round(path[-1], 4)
        high, low = round(max(path), 4), round(min(path), 4)
        open_ms = start_ms + number * MINUTE_MS
        yield Candle(open_ms, max(high, price), min(low, price), price, dice.randrange(1, 500))
