"""A full day of rows as the pipeline would write them, written straight into Cassandra. Knows the
tables."""

import random
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent
from cassandra.query import BatchStatement, BatchType, PreparedStatement

from pipeline.times import DAY_MS, HOUR_MS, hour_of
from pipeline.transformations import book_figures

TRACKED = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT")
MARKET = tuple(f"SIM{number:03}USDT" for number in range(400))
Rows = Iterable[tuple[Any, ...]]


def tables(end_ms: int, trades_per_second: float) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """(table, columns, rows) of the day before `end_ms`: the history of each tracked symbol, and
    the current state of the whole market."""
    generator = random.Random(1)
    start = end_ms - DAY_MS
    for symbol in TRACKED:
        yield from history(symbol, start, end_ms, round(1000 / trades_per_second), generator)
    yield (
        "market_now",
        MARKET_NOW,
        (
            ("USDT", symbol, generator.random(), end_ms, 1000, end_ms, *(generator.random() for _ in STATS))
            for symbol in (*TRACKED, *MARKET)
        ),
    )
    yield (
        "stored_hours",
        ("table_name", "symbol", "hour"),
        (
            (table, symbol, hour)
            for table in ("order_book", "recent_trades")
            for symbol in TRACKED
            for hour in range(hour_of(start), end_ms, HOUR_MS)
        ),
    )


def history(
    symbol: str, start: int, end_ms: int, trade_step_ms: int, generator: random.Random
) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """The history tables of one symbol: prices every 2 s, statistics every 10 s, books every 3 s,
    trades, 1-minute and 1-hour candles."""
    yield (
        "latest_prices",
        ("symbol", "updated_at", "price"),
        ((symbol, ms, 100 + generator.random()) for ms in range(start, end_ms, 2000)),
    )
    yield (
        "crypto_24h_stats",
        ("symbol", "updated_at", *STATS),
        ((symbol, ms, *(generator.random() for _ in STATS)) for ms in range(start, end_ms, 10_000)),
    )
    yield "order_book", BOOK, (book(symbol, ms, generator) for ms in range(start, end_ms, 3000))
    yield "recent_trades", TRADE, trades(symbol, start, end_ms, trade_step_ms, generator)
    for interval, length in (("1m", 60_000), ("1h", HOUR_MS)):
        times = range(start - start % length, end_ms, length)
        yield "klines", CANDLE, [candle(symbol, interval, ms, length) for ms in times]


STATS = (
    "price_change",
    "price_change_percent",
    "weighted_avg_price",
    "last_price",
    "open_price",
    "high_price",
    "low_price",
    "bid_price",
    "ask_price",
    "volume",
    "quote_volume",
)
MARKET_NOW = ("quote_asset", "symbol", "price", "price_updated_at", "trade_count", "stats_updated_at", *STATS)
TRADE = (
    "symbol",
    "hour",
    "trade_time",
    "trade_id",
    "price",
    "quantity",
    "quote_quantity",
    "is_buyer_maker",
    "first_trade_id",
    "last_trade_id",
)
FIGURES = tuple(book_figures([], []))
BOOK = ("symbol", "hour", "updated_at", "last_update_id", "bids", "asks", *FIGURES)
CANDLE = (
    "symbol",
    "interval",
    "open_time",
    "open_price",
    "high_price",
    "low_price",
    "close_price",
    "volume",
    "close_time",
    "quote_volume",
    "number_of_trades",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "is_closed",
    "updated_at",
)


def trades(symbol: str, start: int, end: int, step_ms: int, generator: random.Random) -> Rows:
    for number, ms in enumerate(range(start, end, step_ms)):
        price = 100 + generator.random()
        yield symbol, hour_of(ms), ms, number, price, 1.5, price * 1.5, number % 3 == 0, number, number


def book(symbol: str, ms: int, generator: random.Random) -> tuple[Any, ...]:
    price = 100 + generator.random()
    bids = [(price - level / 100, 1.0 + level) for level in range(20)]
    asks = [(price + 0.01 + level / 100, 1.0 + level) for level in range(20)]
    return symbol, hour_of(ms), ms, ms, bids, asks, *book_figures(bids, asks).values()


def candle(symbol: str, interval: str, ms: int, length: int) -> tuple[Any, ...]:
    return (
        symbol,
        interval,
        ms,
        100.123,
        101.456,
        99.789,
        100.555,
        1234.567,
        ms + length - 1,
        123456.789,
        777,
        600.5,
        60050.5,
        True,
        ms + length,
    )


def fill(session: Session, end_ms: int, trades_per_second: float) -> int:
    """Write the day in batches of one partition each. Returns the number of rows."""
    written = 0
    for table, columns, rows in tables(end_ms, trades_per_second):
        marks = ", ".join("?" * len(columns))
        prepared = session.prepare(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})")
        partition_columns = 2 if columns[1] in ("hour", "interval") else 1
        max_rows = 10 if table == "order_book" else 100
        for _, same in groupby(rows, itemgetter(slice(partition_columns))):
            values = list(same)
            written += len(values)
            parts = [values[n : n + max_rows] for n in range(0, len(values), max_rows)]
            execute_concurrent(session, [(batch(prepared, part), None) for part in parts], concurrency=32)
    return written


def batch(prepared: PreparedStatement, rows: list[tuple[Any, ...]]) -> BatchStatement:
    found = BatchStatement(BatchType.UNLOGGED)
    for row in rows:
        found.add(prepared, row)
    return found
