"""How a changed row is written to Cassandra: one plain function per table. A table that is not
listed is mirrored column by column. To transform a table of yours, write a function here and list
it at the bottom. Knows neither Kafka nor Cassandra.

Times that a function computes are numbers of µs since 1970, as Debezium sends times without a time
zone. A function raises UnwritableRecord, with a reason, for a row that can never be written. So
that no row stops the stream, a KeyError, TypeError, ValueError, IndexError, AttributeError or
ArithmeticError makes its record a dead letter as well, even when a bug in the function raised it:
test a new function first. Any other error stops the consumer."""

from collections.abc import Callable
from functools import lru_cache

import orjson

from pipeline.changes import DELETE, INSERT, UPDATE, Change, Write
from pipeline.symbols import quote_asset
from pipeline.tables import MARKET_NOW, STATS, STORED_HOURS
from pipeline.times import hour_of, iso_to_ms, iso_to_us, ms_to_us


def mirror(change: Change) -> list[Write]:
    """The same row in the table of the same name; a delete deletes it, and so does an update of the
    state before it. The consumer leaves that delete out when both have the same key in
    Cassandra."""
    if change.before is not None:
        return [Write(change.table, DELETE, change.before), Write(change.table, INSERT, change.row)]
    return [Write(change.table, DELETE if change.deleted else INSERT, change.row)]


def latest_prices(change: Change) -> list[Write]:
    """History, and the price in market_now."""
    current = market_now(change, {"price": "price", "updated_at": "price_updated_at"})
    return [current] if change.deleted else [Write(change.table, INSERT, change.row), current]


# Columns keep their names in market_now, except `updated_at`, which the price has as well.
STATS_IN_MARKET_NOW = {name: name for name in STATS.columns if name != "symbol"} | {"updated_at": "stats_updated_at"}


def crypto_24h_stats(change: Change) -> list[Write]:
    """History, and the statistics in market_now."""
    current = market_now(change, STATS_IN_MARKET_NOW)
    return [current] if change.deleted else [Write(change.table, INSERT, change.row), current]


def order_book(change: Change) -> list[Write]:
    """History, with the figures that are charted: best prices, spread, depth. Quantities and depth
    in the base asset."""
    if change.deleted:
        return []
    row = change.row
    bids, asks = levels(row["bids"]), levels(row["asks"])
    hour = hour_of(iso_to_ms(row["updated_at"]))
    book = {**row, "hour": ms_to_us(hour), "bids": bids, "asks": asks, **book_figures(bids, asks)}
    return [Write(change.table, INSERT, book), stored_hour(change.table, row["symbol"], hour)]


def recent_trades(change: Change) -> list[Write]:
    """Each trade once, in the Cassandra partition of its hour. Trades are never deleted."""
    if change.deleted:
        return []
    row = change.row
    time_us = iso_to_us(row["trade_time"])
    hour = hour_of(time_us // 1000)
    trade = {**row, "trade_time": time_us, "hour": ms_to_us(hour)}
    return [Write(change.table, INSERT, trade), stored_hour(change.table, row["symbol"], hour)]


def market_now(change: Change, columns: dict[str, str]) -> Write:
    """The change's columns under their names in market_now; all of them cleared if its row was
    deleted. The price and the statistics of a symbol come from two tables: each clears only its own
    columns."""
    row = change.row
    given = dict.fromkeys(columns.values()) if change.deleted else {columns[n]: row[n] for n in columns if n in row}
    return Write(MARKET_NOW, UPDATE, {"quote_asset": quote_asset(row["symbol"]), "symbol": row["symbol"], **given})


@lru_cache(maxsize=4096)
def stored_hour(table: str, symbol: str, hour_ms: int) -> Write:
    """Records that this hour's partition holds rows, so that readers skip empty ones."""
    row = {"table_name": table, "symbol": symbol, "hour": ms_to_us(hour_ms)}
    return Write(STORED_HOURS, INSERT, row, once=(table, symbol, hour_ms))


def levels(text: str) -> list[tuple[float, float]]:
    """`[["0.3521","672.0"], …]` as (price, quantity), best first."""
    return [(float(price), float(quantity)) for price, quantity in orjson.loads(text)]


def book_figures(bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> dict[str, float | None]:
    """Prices and spread are None where a side of the book is empty, `imbalance` where both sides
    are; it ranges from -1 (only asks) to 1 (only bids)."""
    best_bid = bids[0][0] if bids else None
    best_ask = asks[0][0] if asks else None
    bid_depth = sum(quantity for _, quantity in bids)
    ask_depth = sum(quantity for _, quantity in asks)
    depth = bid_depth + ask_depth
    spread = mid_price = None
    if best_bid is not None and best_ask is not None:
        spread = best_ask - best_bid
        mid_price = (best_ask + best_bid) / 2
    return {
        "best_bid": best_bid,
        "best_ask": best_ask,
        "spread": spread,
        "mid_price": mid_price,
        "bid_depth": bid_depth,
        "ask_depth": ask_depth,
        "imbalance": (bid_depth - ask_depth) / depth if depth else None,
    }


TRANSFORMATIONS: dict[str, Callable[[Change], list[Write]]] = {
    "crypto_24h_stats": crypto_24h_stats,
    "latest_prices": latest_prices,
    "order_book": order_book,
    "recent_trades": recent_trades,
}


def transform(change: Change) -> list[Write]:
    """The rows to write for a change."""
    return TRANSFORMATIONS.get(change.table, mirror)(change)
