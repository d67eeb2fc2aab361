"""Which channels there are, and what a change says on them. The fields of a channel never change: a
browser refuses a frame with others than the first had ("push message mismatch"). Knows tables and
rows; knows neither Kafka nor Grafana.

    price_<SYMBOL>    price
    prices            price, with the label symbol: all tracked symbols
    book_<SYMBOL>     bid, ask, spread: the best of each side
    trades_<SYMBOL>   price, quantity, side (bought or sold, of the taker): several lines per frame
    candle_<SYMBOL>   open, high, low, close, volume, trades: the open candle of a minute

A symbol that is not ASCII is written as pipeline/symbols.py says (`live_name` of the API's
/symbols). In Grafana the name of a channel begins with `stream/crypto/`."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import orjson

from pipeline.changes import Change
from pipeline.live import line_protocol
from pipeline.symbols import ascii_name
from pipeline.tables import BOOKS, KLINES, PRICES, TRADES
from pipeline.times import iso_to_us

STREAM = "crypto"
ALL_PRICES = "prices"
CANDLE_INTERVAL = "1m"

FIELDS: dict[str, tuple[str, ...]] = {
    "price": ("price",),
    ALL_PRICES: ("price",),
    "book": ("bid", "ask", "spread"),
    "trades": ("price", "quantity", "side"),
    "candle": ("open", "high", "low", "close", "volume", "trades"),
}


class Point(NamedTuple):
    """One line of a channel. `kind` is the channel's in FIELDS; `series`: the channel and labels.
    `fields`: None removes what the channel holds of this series.
    `order`: of two points of a series the larger is newer. `time_us`: when it happened.
    `commit_us`: when PostgreSQL committed, 0 for a snapshot row."""

    kind: str
    channel: str
    series: str
    fields: str | None
    order: tuple[int, int]
    time_us: int
    commit_us: int


def channel(kind: str, symbol: str = "") -> str:
    """The name of a channel, without the stream that all of them share."""
    return f"{kind}_{ascii_name(symbol)}" if symbol else kind


def can_be_pushed(symbol: str) -> bool:
    """Whether the names of its channels are not too long for Grafana; only symbols of many
    characters beyond ASCII are."""
    return line_protocol.is_measurement(channel("candle", symbol))


def points(change: Change) -> list[Point]:
    """What a change of one of TABLES says, of a symbol that can be pushed. Raises KeyError,
    TypeError, ValueError, ArithmeticError or AttributeError for a row that says nothing
    presentable."""
    return PUSHED[change.table](change)


def prices(change: Change) -> list[Point]:
    symbol, row, order = change.row["symbol"], change.row, (0, change.version_us)
    values = None if change.deleted else {"price": float(row["price"])}
    return [
        point(change, "price", symbol, values, order, changed_us(change)),
        point(change, ALL_PRICES, symbol, values, order, changed_us(change)),
    ]


def books(change: Change) -> list[Point]:
    row, order = change.row, (0, change.version_us)
    values = None
    if not change.deleted:
        bid, ask = best(row["bids"]), best(row["asks"])
        if bid is None or ask is None:  # without a number there would be other fields
            return []
        values = {"bid": float(bid), "ask": float(ask), "spread": float(ask - bid)}
    return [point(change, "book", row["symbol"], values, order, changed_us(change))]


def best(levels: str) -> Decimal | None:
    """The price of the first of `[["0.3521","672.0"], …]`."""
    parsed = orjson.loads(levels)
    return Decimal(parsed[0][0]) if parsed else None


def trades(change: Change) -> list[Point]:
    if change.deleted:
        return []
    row = change.row
    side = "sold" if row["is_buyer_maker"] else "bought"
    values = {"price": float(row["price"]), "quantity": float(row["quantity"]), "side": side}
    return [point(change, "trades", row["symbol"], values, (row["trade_id"], 0), iso_to_us(row["trade_time"]))]


def candles(change: Change) -> list[Point]:
    row = change.row
    if change.deleted or row["interval"] != CANDLE_INTERVAL:
        return []
    values = {name: float(row[f"{name}_price"]) for name in ("open", "high", "low", "close")}
    values |= {"volume": float(row["volume"]), "trades": float(row["number_of_trades"])}
    # A correction of an earlier candle is not the open one.
    order = (iso_to_us(row["open_time"]), change.version_us)
    return [point(change, "candle", row["symbol"], values, order, changed_us(change))]


def point(change: Change, kind: str, symbol: str, values: dict | None, order: tuple[int, int], time_us: int) -> Point:
    name = ALL_PRICES if kind == ALL_PRICES else channel(kind, symbol)
    series = line_protocol.series(name, {"symbol": symbol} if kind == ALL_PRICES else {})
    fields = None if values is None else line_protocol.fields(values)
    return Point(kind, name, series, fields, order, time_us, change.commit_us)


def changed_us(change: Change) -> int:
    """When the row got its values. An update by hand may leave `updated_at` as it was; the commit
    is always later than the one before."""
    return change.commit_us or iso_to_us(change.row["updated_at"])


PUSHED: dict[str, Callable[[Change], list[Point]]] = {
    PRICES.name: prices,
    BOOKS.name: books,
    TRADES.name: trades,
    KLINES.name: candles,
}
UNUSABLE_ROW = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError)


def all_channels(symbols: Iterable[str]) -> Sequence[str]:
    """Every channel that these symbols can have."""
    per_symbol = [kind for kind in FIELDS if kind != ALL_PRICES]
    return [ALL_PRICES, *(channel(kind, symbol) for symbol in symbols for kind in per_symbol)]
