"""A recorded candle while it is still open. Knows one candle and one time, and no other data.

The recording has only the final row, so the states before it follow a fixed rule: the price moves
linearly from the open to one extreme, to the other and to the close; volumes and counts grow
evenly. No value ever lies outside the final row."""

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from simulator.replay.rows import Candle


def _last_digit(text: str) -> Decimal:
    """The unit of the last digit of `text`: '9.8640' → 0.0001."""
    return _power_of_ten(Decimal(text))


def _tick(candle: Candle) -> Decimal:
    """The largest power of ten that divides all four prices, so that rounding to it stays within
    them."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    return min(_power_of_ten(Decimal(price).normalize()) for price in prices)


def _power_of_ten(number: Decimal) -> Decimal:
    """The unit of the last digit of a finite number."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), f"{number} is not finite"
    return Decimal(1).scaleb(exponent)


def _share(text: str, elapsed_ms: int, length_ms: int) -> str:
    return str((Decimal(text) * elapsed_ms / length_ms).quantize(_last_digit(text), ROUND_DOWN))


def _turning_points(candle: Candle) -> tuple[str, str, str, str]:
    """A rising candle reaches its low first, a falling one its high: the shorter path."""
    rising = Decimal(candle.close) >= Decimal(candle.open)
    first, second = (candle.low, candle.high) if rising else (candle.high, candle.low)
    return candle.open, first, second, candle.close


def _between(start: str, end: str, done: int, whole: int, tick: Decimal) -> str:
    if done == 0:
        return start
    step = (Decimal(end) - Decimal(start)) * done / whole
    # First to the tick, then to the recording's number of digits ('9.8640' moves in steps of
    # 0.001).
    return str((Decimal(start) + step).quantize(tick).quantize(min(_last_digit(start), _last_digit(end))))


def partial(candle: Candle, now_ms: int) -> Candle:
    """The candle at `now_ms`, open ≤ now ≤ close. At its open it shows only the opening price."""
    length_ms = candle.close_ms + 1 - candle.open_ms
    elapsed_ms = now_ms - candle.open_ms
    points = _turning_points(candle)
    leg, done = divmod(elapsed_ms * 3, length_ms)
    price = _between(points[leg], points[leg + 1], done, length_ms, _tick(candle))
    seen = (*points[: leg + 1], price)
    return replace(
        candle,
        high=max(seen, key=Decimal),
        low=min(seen, key=Decimal),
        close=price,
        volume=_share(candle.volume, elapsed_ms, length_ms),
        quote_volume=_share(candle.quote_volume, elapsed_ms, length_ms),
        trade_count=candle.trade_count * elapsed_ms // length_ms,
        taker_volume=_share(candle.taker_volume, elapsed_ms, length_ms),
        taker_quote_volume=_share(candle.taker_quote_volume, elapsed_ms, length_ms),
    )
