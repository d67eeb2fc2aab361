"""Rows for the tests of the market page: one symbol with everything, one with small prices, one of
another script, one whose name is an attack, one with hourly candles only. They are removed again,
because other tests count what the whole market has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cassandra.cluster import Session

from pipeline.times import HOUR_MS, hour_of
from pipeline.transformations import book_figures
from tests.integration.api.known import MINUTE_MS, T0, candle, trade, write

FULL, SMALL, BARE, OTHER_SCRIPT = "PAGEUSDT", "TINYUSDT", "ONLYUSDT", "币安人生USDT"
HOSTILE = '<img src=x onerror="window.attacked=1">\'&{{7*7}}USDT'
# Price decimals of FULL and SMALL: what the most precise of their prices has.
DECIMALS = {FULL: 2, SMALL: 8}
UNIT = {FULL: 3361.25, SMALL: 0.00000512}
STEP = {FULL: 0.01, SMALL: 0.00000001}


def price(symbol: str, steps: int) -> float:
    """A price that has no more than the symbol's decimals."""
    return round(UNIT[symbol] + steps * STEP[symbol], DECIMALS[symbol])


def candles(symbol: str, interval: str, length_ms: int, count: int) -> list[dict[str, Any]]:
    def one(number: int) -> dict[str, Any]:
        opening, closing = price(symbol, number % 40), price(symbol, (number * 7) % 40)
        prices = {"open_price": opening, "close_price": closing}
        edges = {"high_price": max(prices.values()) + 5 * STEP[symbol], "low_price": min(prices.values())}
        edges = {name: round(value, DECIMALS[symbol]) for name, value in edges.items()}
        return candle(symbol, interval, number, length_ms, **prices, **edges, volume=1.5 + number % 9)

    return [one(number) for number in range(count)]


def book(symbol: str) -> dict[str, Any]:
    bids = [(price(symbol, -1 - level), 1.25 + level % 7) for level in range(60)]
    asks = [(price(symbol, 2 + level), 0.75 + level % 5) for level in range(60)]
    figures = book_figures(bids, asks)
    return {"symbol": symbol, "hour": hour_of(T0), "updated_at": T0, "bids": bids, "asks": asks, **figures}


def statistics(symbol: str, rank: int, last: float) -> dict[str, Any]:
    return {
        "quote_asset": "USDT",
        "symbol": symbol,
        "price": last,
        "price_updated_at": T0 + 5,
        "price_change": -last / 10 if rank % 2 else last / 10,
        "price_change_percent": -9.091 if rank % 2 else 11.126,
        "last_price": last,
        "open_price": last,
        "high_price": last,
        "low_price": last,
        "volume": 1234567.891 / rank,
        "quote_volume": 98_765_432.1 / rank,
        "trade_count": 123_456 * rank,
        "stats_updated_at": T0 + 5,
    }


def of_symbol(symbol: str) -> dict[str, list[dict[str, Any]]]:
    trades = [
        trade(symbol, number, T0 + HOUR_MS + 400 * number, price=price(symbol, number), quantity=0.5 + number / 8)
        for number in range(40)
    ]
    return {
        "klines": candles(symbol, "1m", MINUTE_MS, 180) + candles(symbol, "1h", HOUR_MS, 24),
        "recent_trades": trades,
        "order_book": [book(symbol)],
        "latest_prices": [{"symbol": symbol, "updated_at": T0 + HOUR_MS, "price": price(symbol, 3)}],
    }


@contextmanager
def market_rows(session: Session) -> Iterator[None]:
    hostile = {"klines": [candle(HOSTILE, "1m", number, MINUTE_MS) for number in range(3)]}
    bare = {"klines": [candle(BARE, "1h", number, HOUR_MS) for number in range(3)]}
    script = {"klines": [candle(OTHER_SCRIPT, "1m", 0, MINUTE_MS)], "recent_trades": [trade(OTHER_SCRIPT, 1, T0)]}
    market = [statistics(symbol, rank, UNIT.get(symbol, 5.5)) for rank, symbol in enumerate((HOSTILE, FULL, SMALL), 1)]
    everything = [of_symbol(FULL), of_symbol(SMALL), hostile, bare, script, {"market_now": market}]
    for tables in everything:
        for table, rows in tables.items():
            write(session, table, rows)
    try:
        yield
    finally:
        for tables in everything:
            for table, rows in tables.items():
                remove(session, table, rows)


def remove(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    keys = {"klines": ("symbol", "interval"), "market_now": ("quote_asset", "symbol"), "latest_prices": ("symbol",)}
    key = keys.get(table, ("symbol", "hour"))
    partitions = {tuple(row[name] for name in key) for row in rows}
    for values in partitions:
        session.execute(f"DELETE FROM {table} WHERE {' AND '.join(f'{name} = %s' for name in key)}", values)
        if "hour" in key:
            where = "table_name = %s AND symbol = %s AND hour = %s"
            session.execute(f"DELETE FROM stored_hours WHERE {where}", (table, *values))
