"""Replies of the exchange as rows of our tables. Pure functions; shapes from the exchange's API
document. An item that differs from the document becomes a LeftOut in the place of its row, so that
it harms no other; a reply that is not a list (of a book: not an object) raises one of BAD_SHAPE."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,20})?")
NUMBER = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{0,60})?([eE][+-]?[0-9]{1,3})?")
# Numbers outside these limits are refused: PostgreSQL refuses the whole statement for a number that
# is too large, and 1E+999 written as plain digits has 1000 of them.
MAX_DIGITS, MAX_INTEGER_DIGITS, MAX_DECIMALS = 50, 30, 40
MAX_BIGINT = 2**63 - 1
# No exchange had an API before; 2010-01-01.
FIRST_MS = 1_262_304_000_000
MAX_SHOWN_CHARACTERS = 60
BOOK_FIELDS = ("lastUpdateId", "bids", "asks")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item of a reply that becomes no row.

    `symbol`: empty if the item names none.
    `reason`: what is odd about it; empty for a trade without quantity, which is nothing odd.
    `trade_id`: of a trade whose id is readable."""

    symbol: str
    reason: str
    trade_id: int | None = None


# Rows and left-out items in the order of the reply.
Parsed = list[Row | LeftOut]


def parse_each(
    items: Any, make: Callable[[Any], Row], symbol_of: Callable[[Any], str], id_of: Callable[[Any], int | None]
) -> Parsed:
    """`make` of every item of a list. Raises TypeError if it is no list."""
    if not isinstance(items, list):
        raise TypeError(f"not a list: {shown(items)}")
    parsed: Parsed = []
    for item in items:
        try:
            parsed.append(make(item))
        except BAD_SHAPE as error:
            parsed.append(LeftOut(symbol_of(item), str(error), id_of(item)))
    return parsed


def shown(value: Any) -> str:
    """A value of a reply, short enough for a log line."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


def number(value: Any) -> Decimal:
    """A finite decimal of a plausible size. The exchange sends prices and quantities as strings; a
    JSON number is accepted as well. Raises ValueError."""
    if isinstance(value, str) and PLAIN_NUMBER.fullmatch(value):
        return Decimal(value)  # within the limits
    written = value if isinstance(value, str) else "" if isinstance(value, bool) else repr(value)
    if not NUMBER.fullmatch(written):
        raise ValueError(f"not a number: {shown(value)}")
    found = Decimal(written)
    _, digits, exponent = found.as_tuple()
    assert isinstance(exponent, int)  # it is a letter for NaN and infinity only
    if len(digits) > MAX_DIGITS or found.adjusted() >= MAX_INTEGER_DIGITS or exponent < -MAX_DECIMALS:
        raise ValueError(f"not a plausible number: {shown(value)}")
    return found


def amount(value: Any) -> Decimal:
    """A number that is not negative: a price or a quantity. Raises ValueError."""
    found = number(value)
    if found < 0:
        raise ValueError(f"negative: {shown(value)}")
    return found


def plain(value: Any) -> str:
    """An amount as plain digits: str() would turn 0.00000001 into 1E-8."""
    return format(amount(value), "f")


def whole(value: Any) -> int:
    """A whole number from 0 to the largest BIGINT. Raises ValueError."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20
    if not (is_whole or is_digits) or not 0 <= int(value) <= MAX_BIGINT:
        raise ValueError(f"not a whole number: {shown(value)}")
    return int(value)


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"not a boolean: {shown(value)}")
    return value


def timestamp(value: Any) -> datetime:
    """A time of the exchange (ms or µs) as a datetime. Raises ValueError if it is before 2010 or
    more than 366 days ahead."""
    ms = exchange_ms(whole(value))
    if not FIRST_MS <= ms < now_ms() + 366 * DAY_MS:
        raise ValueError(f"not a plausible time: {shown(value)}")
    return ms_to_datetime(ms)


def field(read: Callable[[Any], Any], item: dict[str, Any], name: str) -> Any:
    """The field of an item; errors name it."""
    try:
        return read(item[name])
    except KeyError:
        raise ValueError(f"{name} is missing") from None
    except BAD_SHAPE as error:
        raise ValueError(f"{name}: {error}") from error


def named(item: Any) -> str:
    """The symbol that an item of a whole-market reply names; empty if there is none."""
    symbol = item.get("symbol") if isinstance(item, dict) else None
    return symbol if isinstance(symbol, str) else ""


def market_rows(reply: Any, wanted: Iterable[str], make: Callable[[Any], Row]) -> Parsed:
    """Rows of the wanted symbols of a whole-market reply. Items without a symbol are kept, to be
    left out by name."""
    wanted = frozenset(wanted)
    if isinstance(reply, list):
        reply = [item for item in reply if named(item) in wanted or not named(item)]
    return parse_each(reply, make, named, lambda item: None)


def price_rows(reply: Any, wanted: Iterable[str]) -> Parsed:
    """GET /api/v3/ticker/price without parameters: [{symbol, price}, …]."""
    return market_rows(
        reply, wanted, lambda item: {"symbol": field(text, item, "symbol"), "price": field(amount, item, "price")}
    )


def text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"not a text: {shown(value)}")
    return value


# Column → reader and field of /ticker/24hr. Changes may be negative.
STATS_FIELDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "symbol": (text, "symbol"),
    "price_change": (number, "priceChange"),
    "price_change_percent": (number, "priceChangePercent"),
    "weighted_avg_price": (amount, "weightedAvgPrice"),
    "last_price": (amount, "lastPrice"),
    "open_price": (amount, "openPrice"),
    "high_price": (amount, "highPrice"),
    "low_price": (amount, "lowPrice"),
    "bid_price": (amount, "bidPrice"),
    "ask_price": (amount, "askPrice"),
    "volume": (amount, "volume"),
    "quote_volume": (amount, "quoteVolume"),
    "open_time": (timestamp, "openTime"),
    "close_time": (timestamp, "closeTime"),
    "trade_count": (whole, "count"),
}


def stats_rows(reply: Any, wanted: Iterable[str]) -> Parsed:
    """GET /api/v3/ticker/24hr, type FULL, without parameters."""

    def row(item: Any) -> Row:
        return {column: field(read, item, name) for column, (read, name) in STATS_FIELDS.items()}

    return market_rows(reply, wanted, row)


def book_rows(symbol: str, reply: Any, levels: int) -> Parsed:
    """GET /api/v3/depth: {lastUpdateId, bids: [[price, quantity], …], asks}; more than two entries
    of a level are ignored. No row for a book without levels."""
    if not isinstance(reply, dict) or not any(name in reply for name in BOOK_FIELDS):
        raise TypeError(f"not a book: {shown(reply)}")

    def row(item: Any) -> Row:
        return {
            "symbol": symbol,
            "last_update_id": field(whole, item, "lastUpdateId"),
            "bids": field(lambda side: side_of(side, levels), item, "bids"),
            "asks": field(lambda side: side_of(side, levels), item, "asks"),
        }

    parsed = parse_each([reply], row, lambda item: symbol, lambda item: None)
    return [each for each in parsed if isinstance(each, LeftOut) or each["bids"] or each["asks"]]


def side_of(side: Any, levels: int) -> list[list[str]]:
    """The best `levels` levels of one side of a book."""
    if not isinstance(side, list):
        raise TypeError(f"not a list: {shown(side)}")
    best = side[:levels]
    if not all(isinstance(level, list) for level in best):
        raise TypeError("a level is not a list")
    return [[plain(level[0]), plain(level[1])] for level in best]


def trade_rows(symbol: str, reply: Any) -> Parsed:
    """GET /api/v3/aggTrades: [{a: id, p, q, f: first raw id, l: last raw id, T: time, m: buyer is
    maker}, …]. A trade without quantity is left out: nothing was traded, and its price may be 0.
    Raises ValueError unless ids ascend, because the next request continues after the last one."""

    def row(item: Any) -> Row:
        return {
            "symbol": symbol,
            "trade_id": field(whole, item, "a"),
            "trade_time": field(timestamp, item, "T"),
            "price": (price := field(positive, item, "p")),
            "quantity": (quantity := field(positive, item, "q")),
            "quote_quantity": EXACT.multiply(price, quantity),
            "is_buyer_maker": field(boolean, item, "m"),
            "first_trade_id": field(whole, item, "f"),
            "last_trade_id": field(whole, item, "l"),
        }

    parsed = parse_each(reply, row, lambda item: symbol, trade_id_of)
    for place, (item, each) in enumerate(zip(reply, parsed)):
        if isinstance(each, LeftOut) and each.trade_id is not None and has_no_quantity(item):
            parsed[place] = LeftOut(symbol, "", each.trade_id)
    ids = [found for found in map(trade_id, parsed) if found is not None]
    if any(before >= after for before, after in pairwise(ids)):
        raise ValueError("trade ids do not ascend")
    return parsed


def positive(value: Any) -> Decimal:
    found = amount(value)
    if not found:
        raise ValueError(f"not above 0: {shown(value)}")
    return found


def trade_id_of(item: Any) -> int | None:
    """The readable id of an item of /aggTrades."""
    try:
        return whole(item["a"])
    except BAD_SHAPE:
        return None


def has_no_quantity(item: Any) -> bool:
    try:
        return number(item["q"]) == 0
    except BAD_SHAPE:
        return False


def trade_id(parsed: Row | LeftOut) -> int | None:
    """The id of a trade, stored or left out."""
    return parsed.trade_id if isinstance(parsed, LeftOut) else parsed["trade_id"]


# Column → reader and place in an array of /klines.
KLINE_FIELDS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "open_time": (timestamp, 0),
    "open_price": (amount, 1),
    "high_price": (amount, 2),
    "low_price": (amount, 3),
    "close_price": (amount, 4),
    "volume": (amount, 5),
    "close_time": (timestamp, 6),
    "quote_volume": (amount, 7),
    "number_of_trades": (whole, 8),
    "taker_buy_volume": (amount, 9),
    "taker_buy_quote_volume": (amount, 10),
}


KLINE_ENTRIES = 11


def kline_rows(symbol: str, interval: str, reply: Any, requested_at_ms: int) -> Parsed:
    """GET /api/v3/klines: arrays of 12. REST has no "closed" flag: a candle is closed if its
    close time had passed on the exchange's clock before the request (`requested_at_ms`), so that
    the reply holds its final state."""

    def row(item: Any) -> Row:
        values = kline_values(item)
        if values["close_time"] <= values["open_time"]:
            raise ValueError(f"closes before it opens: {shown(item[6])}")
        is_closed = exchange_ms(whole(item[6])) < requested_at_ms
        return {"symbol": symbol, "interval": interval, **values, "is_closed": is_closed}

    return parse_each(reply, row, lambda item: symbol, lambda item: None)


def kline_values(item: Any) -> Row:
    if not isinstance(item, list):
        raise TypeError(f"not a list: {shown(item)}")
    if len(item) < KLINE_ENTRIES:
        raise ValueError(f"{len(item)} entries")
    values: Row = {}
    for column, (read, place) in KLINE_FIELDS.items():
        try:
            values[column] = read(item[place])
        except BAD_SHAPE as error:
            raise ValueError(f"{column}: {error}") from error
    return values


def rows_of(parsed: Sequence[Row | LeftOut]) -> list[Row]:
    """Those that are rows."""
    return [each for each in parsed if not isinstance(each, LeftOut)]
