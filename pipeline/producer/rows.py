"""Replies of the exchange as rows of our tables. Pure functions; shapes from the API document
(facts: binance.md). Every function raises what BAD_SHAPE lists when a reply is not what the
document says."""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation, Overflow
from itertools import pairwise
from typing import Any

from pipeline.producer.batch import Row
from pipeline.times import DAY_MS, exchange_ms, ms_to_datetime, now_ms

# The last three: a number that is none, or too large for anything.
BAD_SHAPE = (KeyError, TypeError, ValueError, IndexError, InvalidOperation, Overflow, OverflowError)
# A product of two prices has up to twice the digits; the default of 28 would round it.
EXACT = Context(prec=100)


def number(text: Any) -> Decimal:
    """A finite decimal; the exchange sends prices and quantities as strings."""
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(f"not a finite number: {text!r}")
    return value


def plain(text: Any) -> str:
    """A finite decimal as plain digits: str() makes 1E-8 of 0.00000001."""
    return format(number(text), "f")


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"neither true nor false: {value!r}")
    return value


def moment(value: Any) -> Any:
    """A time of the exchange (ms or µs) as a datetime; one that is far in the future is none."""
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
            "open_time": moment(item["openTime"]),
            "close_time": moment(item["closeTime"]),
            "trade_count": int(item["count"]),
        }
        for item in reply
        if item["symbol"] in wanted
    ]


def book_rows(symbol: str, reply: dict[str, Any], levels: int) -> list[Row]:
    """GET /api/v3/depth: {lastUpdateId, bids: [[price, quantity], …], asks}. No row for a book
    without any level."""
    bids, asks = ([[plain(p), plain(q)] for p, q in reply[side][:levels]] for side in ("bids", "asks"))
    if not bids and not asks:
        return []
    return [{"symbol": symbol, "last_update_id": int(reply["lastUpdateId"]), "bids": bids, "asks": asks}]


def trade_rows(symbol: str, reply: list[dict[str, Any]]) -> list[Row]:
    """GET /api/v3/aggTrades: [{a: id, p, q, f: first raw id, l: last raw id, T: time, m: buyer is
    maker}, …]. Ids must ascend, else the last one would be no place to go on from."""
    rows = [
        {
            "symbol": symbol,
            "trade_id": int(item["a"]),
            "trade_time": moment(item["T"]),
            "price": (price := number(item["p"])),
            "quantity": (quantity := number(item["q"])),
            "quote_quantity": EXACT.multiply(price, quantity),
            "is_buyer_maker": flag(item["m"]),
            "first_trade_id": int(item["f"]),
            "last_trade_id": int(item["l"]),
        }
        for item in reply
    ]
    if any(row["trade_id"] >= following["trade_id"] for row, following in pairwise(rows)):
        raise ValueError("trade ids that do not ascend")
    return rows


def kline_rows(symbol: str, interval: str, reply: list[list[Any]], asked_at_ms: int) -> list[Row]:
    """GET /api/v3/klines: arrays of 12. REST has no "closed" flag: a candle is closed when its
    close time had passed on the exchange's clock before we asked (`asked_at_ms`), so that the reply
    holds its final state."""
    return [
        {
            "symbol": symbol,
            "interval": interval,
            "open_time": moment(item[0]),
            "open_price": number(item[1]),
            "high_price": number(item[2]),
            "low_price": number(item[3]),
            "close_price": number(item[4]),
            "volume": number(item[5]),
            "close_time": moment(item[6]),
            "quote_volume": number(item[7]),
            "number_of_trades": int(item[8]),
            "taker_buy_volume": number(item[9]),
            "taker_buy_quote_volume": number(item[10]),
            "is_closed": exchange_ms(int(item[6])) < asked_at_ms,
        }
        for item in reply
    ]
