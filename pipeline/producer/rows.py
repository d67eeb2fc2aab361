"""Replies of the exchange as rows of our tables. Pure functions; shapes from the exchange's API
document. Every function raises one of BAD_SHAPE if a reply differs from the document."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation, Overflow
from itertools import pairwise
from typing import Any

from pipeline.producer.batch import Row
from pipeline.times import DAY_MS, exchange_ms, ms_to_datetime, now_ms

# The last three: text that is not a number, or a number that is too large.
BAD_SHAPE = (KeyError, TypeError, ValueError, IndexError, InvalidOperation, Overflow, OverflowError)
# A product of two numbers has up to twice the digits; the default of 28 would round it.
EXACT = Context(prec=100)


def number(text: Any) -> Decimal:
    """A finite decimal. The exchange sends prices and quantities as strings."""
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(f"not a finite number: {text!r}")
    return value


def plain(text: Any) -> str:
    """A finite decimal as plain digits: str() would turn 0.00000001 into 1E-8."""
    return format(number(text), "f")


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"not a boolean: {value!r}")
    return value


def timestamp(value: Any) -> datetime:
    """A time of the exchange (ms or µs) as a datetime. Raises ValueError if it is not after 1970 or
    more than 366 days ahead."""
    ms = exchange_ms(int(value))
    if not 0 < ms < now_ms() + 366 * DAY_MS:
        raise ValueError(f"not a plausible time: {value!r}")
    return ms_to_datetime(ms)


def price_rows(reply: list[dict[str, str]], wanted: Iterable[str]) -> list[Row]:
    """GET /api/v3/ticker/price without parameters: [{symbol, price}, …]."""
    wanted = frozenset(wanted)
    return [{"symbol": item["symbol"], "price": number(item["price"])} for item in reply if item["symbol"] in wanted]


def stats_rows(reply: list[dict[str, Any]], wanted: Iterable[str]) -> list[Row]:
    """GET /api/v3/ticker/24hr, type FULL, without parameters."""
    wanted = frozenset(wanted)
    return [
        {
            "symbol": item["symbol"],
            "price_change": number(item["priceChange"]),
            "price_change_percent": number(item["priceChangePercent"]),
            "weighted_avg_price": number(item["weightedAvgPrice"]),
            "last_price": number(item["lastPrice"]),
            "open_price": number(item["openPrice"]),
            "high_price": number(item["highPrice"]),
            "low_price": number(item["lowPrice"]),
            "bid_price": number(item["bidPrice"]),
            "ask_price": number(item["askPrice"]),
            "volume": number(item["volume"]),
            "quote_volume": number(item["quoteVolume"]),
            "open_time": timestamp(item["openTime"]),
            "close_time": timestamp(item["closeTime"]),
            "trade_count": int(item["count"]),
        }
        for item in reply
        if item["symbol"] in wanted
    ]


def book_rows(symbol: str, reply: dict[str, Any], levels: int) -> list[Row]:
    """GET /api/v3/depth: {lastUpdateId, bids: [[price, quantity], …], asks}. No row for a book
    without levels."""
    bids, asks = ([[plain(p), plain(q)] for p, q in reply[side][:levels]] for side in ("bids", "asks"))
    if not bids and not asks:
        return []
    return [{"symbol": symbol, "last_update_id": int(reply["lastUpdateId"]), "bids": bids, "asks": asks}]


def trade_rows(symbol: str, reply: list[dict[str, Any]]) -> list[Row]:
    """GET /api/v3/aggTrades: [{a: id, p, q, f: first raw id, l: last raw id, T: time, m: buyer is
    maker}, …]. Ids must ascend, because the next request continues after the last one."""
    rows: list[Row] = [
        {
            "symbol": symbol,
            "trade_id": int(item["a"]),
            "trade_time": timestamp(item["T"]),
            "price": (price := number(item["p"])),
            "quantity": (quantity := number(item["q"])),
            "quote_quantity": EXACT.multiply(price, quantity),
            "is_buyer_maker": boolean(item["m"]),
            "first_trade_id": int(item["f"]),
            "last_trade_id": int(item["l"]),
        }
        for item in reply
    ]
    if any(row["trade_id"] >= following["trade_id"] for row, following in pairwise(rows)):
        raise ValueError("trade ids do not ascend")
    return rows


def kline_rows(symbol: str, interval: str, reply: list[list[Any]], requested_at_ms: int) -> list[Row]:
    """GET /api/v3/klines: arrays of 12. REST has no "closed" flag: a candle is closed if its
    close time had passed on the exchange's clock before the request (`requested_at_ms`), so that
    the reply holds its final state."""
    return [
        {
            "symbol": symbol,
            "interval": interval,
            "open_time": timestamp(item[0]),
            "open_price": number(item[1]),
            "high_price": number(item[2]),
            "low_price": number(item[3]),
            "close_price": number(item[4]),
            "volume": number(item[5]),
            "close_time": timestamp(item[6]),
            "quote_volume": number(item[7]),
            "number_of_trades": int(item[8]),
            "taker_buy_volume": number(item[9]),
            "taker_buy_quote_volume": number(item[10]),
            "is_closed": exchange_ms(int(item[6])) < requested_at_ms,
        }
        for item in reply
    ]
