"""Candles from recorded trades, and longer candles from shorter ones. Knows no clock and no
files."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

from simulator.decimals import ZERO, fixed_decimal
from simulator.intervals import LENGTH_MS, MINUTE_MS, open_time
from simulator.replay.rows import Candle, RecordedTrade


def candle_of_trades(trades: Sequence[RecordedTrade], open_ms: int) -> Candle:
    """The 1-minute candle of the trades of one minute, at least one trade."""
    prices = [trade.price for trade in trades]
    amounts = [(Decimal(t.quantity), Decimal(t.price) * Decimal(t.quantity), not t.buyer_is_maker) for t in trades]
    return Candle(
        open_ms,
        prices[0],
        max(prices, key=Decimal),
        min(prices, key=Decimal),
        prices[-1],
        fixed_decimal(sum((quantity for quantity, _, _ in amounts), Decimal(0))),
        open_ms + MINUTE_MS - 1,
        fixed_decimal(sum((quote for _, quote, _ in amounts), Decimal(0))),
        sum(trade.last_raw_id - trade.first_raw_id + 1 for trade in trades),
        fixed_decimal(sum((quantity for quantity, _, taken in amounts if taken), Decimal(0))),
        fixed_decimal(sum((quote for _, quote, taken in amounts if taken), Decimal(0))),
        "0",
    )


def quiet_minute(price: str, open_ms: int) -> Candle:
    """A minute without trades: the exchange repeats the last price and counts nothing."""
    return Candle(open_ms, price, price, price, price, ZERO, open_ms + MINUTE_MS - 1, ZERO, 0, ZERO, ZERO, "0")


def minutes_of_trades(trades: Iterable[RecordedTrade]) -> list[Candle]:
    """1-minute candles from the first trade's minute to the last one's, quiet minutes included."""
    candles: list[Candle] = []
    for open_ms, group in groupby(trades, key=lambda trade: open_time(trade.time_ms, "1m")):
        while candles and candles[-1].open_ms + MINUTE_MS < open_ms:
            candles.append(quiet_minute(candles[-1].close, candles[-1].open_ms + MINUTE_MS))
        candles.append(candle_of_trades(list(group), open_ms))
    return candles


def joined(candles: Sequence[Candle], open_ms: int, interval: str) -> Candle:
    """One candle of `interval` from shorter ones, in order, at least one. Prices keep their
    recorded strings."""
    return replace(
        candles[0],
        open_ms=open_ms,
        close_ms=open_ms + LENGTH_MS[interval] - 1,
        high=max((candle.high for candle in candles), key=Decimal),
        low=min((candle.low for candle in candles), key=Decimal),
        close=candles[-1].close,
        volume=_total(candle.volume for candle in candles),
        quote_volume=_total(candle.quote_volume for candle in candles),
        trade_count=sum(candle.trade_count for candle in candles),
        taker_volume=_total(candle.taker_volume for candle in candles),
        taker_quote_volume=_total(candle.taker_quote_volume for candle in candles),
    )


def _total(texts: Iterable[str]) -> str:
    return str(sum(map(Decimal, texts), Decimal(0)))
