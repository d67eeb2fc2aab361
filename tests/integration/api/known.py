"""The rows that the API's tests expect: a few symbols, one per aspect to be tested. T0 is in the
night in which clocks in Europe go forward, which must make no difference."""

from collections.abc import Iterable
from typing import Any

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args

from pipeline.times import HOUR_MS, hour_of
from pipeline.transformations import book_figures

T0 = 1_774_742_400_000  # 2026-03-29T00:00:00Z
MINUTE_MS = 60_000

PRICES = [{"symbol": "TENUSDT", "updated_at": T0 + 1000 * n, "price": 100.0 + n} for n in range(10)]
PRICES += [{"symbol": "ONEUSDT", "updated_at": T0 + 5500, "price": 7.0}]
# Six hours, a price every 10 s; one of them, inside a bucket of any width, is a spike.
SPIKE_AT = T0 + 3 * HOUR_MS + 7 * MINUTE_MS + 30_000
SPIKES = [{"symbol": "SPIKEUSDT", "updated_at": T0 + 10_000 * n, "price": 50.0 + n % 7} for n in range(6 * 360)]
for each in SPIKES:
    if each["updated_at"] == SPIKE_AT:
        each["price"] = 999.0
STATS = [
    {"symbol": "TENUSDT", "updated_at": T0 + 10_000 * n, "price_change": n - 5.0, "volume": 10.0 * n, "trade_count": n}
    for n in range(60)
]


def trade(symbol: str, trade_id: int, time_ms: int, **more: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "hour": hour_of(time_ms),
        "trade_time": time_ms,
        "trade_id": trade_id,
        "price": 10.0 + trade_id,
        "quantity": 1.0,
        "quote_quantity": 10.0 + trade_id,
        "is_buyer_maker": trade_id % 3 == 0,
        "first_trade_id": trade_id,
        "last_trade_id": trade_id,
    }
    return row | more


# Forty trades around the end of an hour; ten each have the same time, and two symbols have the same
# times.
TIES = [trade(symbol, n, T0 + HOUR_MS - 20 + 10 * (n // 10)) for symbol in ("TIEAUSDT", "TIEBUSDT") for n in range(40)]
# One trade per minute over five hours, without the third hour.
STEADY = [trade("STEADYUSDT", n, T0 + n * MINUTE_MS) for n in range(300) if not 120 <= n < 180]


def book(symbol: str, number: int, time_ms: int) -> dict[str, Any]:
    bids = [(100.0 - level, 1.0 + level) for level in range(5)]
    asks = [(101.0 + level, 2.0 + level) for level in range(5)]
    return {
        "symbol": symbol,
        "hour": hour_of(time_ms),
        "updated_at": time_ms,
        "last_update_id": number,
        "bids": bids,
        "asks": asks,
        **book_figures(bids, asks),
    }


BOOKS = [book("BOOKUSDT", n, T0 + n * 20 * MINUTE_MS) for n in range(12)]
BOOKS += [{**book("HALFUSDT", 1, T0), "asks": [], **book_figures([(100.0, 1.0)], [])}]


def candle(symbol: str, interval: str, number: int, length_ms: int, **more: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "interval": interval,
        "open_time": T0 + number * length_ms,
        "open_price": 100.0 + number,
        "high_price": 110.0 + number,
        "low_price": 90.0 - number,
        "close_price": 101.0 + number,
        "volume": 1.5,
        "close_time": T0 + (number + 1) * length_ms - 1,
        "quote_volume": 150.0,
        "number_of_trades": number + 1,
        "taker_buy_volume": 0.5,
        "taker_buy_quote_volume": 50.0,
        "is_closed": True,
        "updated_at": T0 + (number + 1) * length_ms,
    }
    return row | more


# Three hours of 1-minute candles, the last one open, 33 and 34 missing; and a day of 1-hour
# candles.
CANDLES = [candle("CANUSDT", "1m", n, MINUTE_MS, is_closed=n != 179) for n in range(180) if n not in (33, 34)]
CANDLES += [candle("CANUSDT", "1h", n, HOUR_MS) for n in range(24)]
CANDLES += [candle("CANBUSDT", "1m", n, MINUTE_MS) for n in range(60)]
CANDLES += [candle("HOURUSDT", "1h", n, HOUR_MS) for n in range(48)]


# Three hours of forecasts for 15 minutes, half of that for an hour; the last are not scored.
def forecast(symbol: str, horizon: str, minutes: int, number: int, count: int) -> dict[str, Any]:
    made_at = T0 + number * MINUTE_MS
    row = {
        "symbol": symbol,
        "horizon": horizon,
        "made_at": made_at,
        "closes_at": made_at + minutes * MINUTE_MS,
        "model": "log_har",
        "price": 100.0 + number,
        "volatility": 0.001 * minutes,
        "lower_price": 99.0 + number,
        "upper_price": 101.0 + number,
        "updated_at": made_at,
    }
    scored = {
        "realized_volatility": 0.002,
        "close_price": 100.5 + number,
        "qlike": 0.2,
        "naive_qlike": 0.4,
        "hit": True,
    }
    return row | scored if number < count - minutes else row


FORECASTS = [forecast("FOREUSDT", "15m", 15, number, 180) for number in range(180)]
FORECASTS += [forecast("FOREUSDT", "1h", 60, number, 90) for number in range(90)]
FORECASTS += [forecast("FORFUSDT", "15m", 15, number, 60) for number in range(60)]


def now(symbol: str, quote: str, change: float | None, volume: float, at: int = T0) -> dict[str, Any]:
    return {
        "quote_asset": quote,
        "symbol": symbol,
        "price": 5.0,
        "price_updated_at": at,
        "price_change": change,
        "volume": volume,
        "quote_volume": volume * 2,
        "trade_count": 7,
        "stats_updated_at": at + 1,
    }


MARKET = [
    now("AAAEUR", "EUR", 1.0, 30.0, T0 + 2),
    now("BBBEUR", "EUR", -1.0, 10.0, T0 + 3),
    now("CCCEUR", "EUR", 0.0, 20.0),
    now("AAABTC", "BTC", 2.0, 5.0),
    now("TENUSDT", "USDT", 3.0, 1.0),
    *(now(symbol, "JPY", 1.0, 1.0) for symbol in ("币安人生JPY", "БИТJPY", "A:b <c>JPY")),
    {"quote_asset": "EUR", "symbol": "PRICEEUR", "price": 1.0, "price_updated_at": T0 + 9},
]
# Names of any script, and one that no symbol may have: paging must pass it all the same.
SCRIPTS = [
    {"symbol": symbol, "updated_at": T0 + 1000 * number, "price": 1.0 + number}
    for symbol in ("币安人生JPY", "БИТJPY", "A:b <c>JPY")
    for number in range(3)
]
SOURCE = [{"id": 1, "name": "known", "base_url": "http://127.0.0.1:1", "updated_at": T0}]


def write(session: Session, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write the rows as the consumer would, including stored_hours."""
    rows = list(rows)
    for columns in {tuple(row) for row in rows}:
        marks = ", ".join("?" * len(columns))
        prepared = session.prepare(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})")
        same = [tuple(row.values()) for row in rows if tuple(row) == columns]
        for success, problem in execute_concurrent_with_args(session, prepared, same, concurrency=64):
            assert success, problem
    hours = {(table, row["symbol"], row["hour"]) for row in rows if "hour" in row and table != "stored_hours"}
    if hours:
        write(session, "stored_hours", [dict(zip(("table_name", "symbol", "hour"), each)) for each in hours])


def write_all(session: Session) -> None:
    for table, rows in {
        "latest_prices": PRICES + SPIKES + SCRIPTS,
        "crypto_24h_stats": STATS,
        "recent_trades": TIES + STEADY,
        "order_book": BOOKS,
        "klines": CANDLES,
        "forecasts": FORECASTS,
        "market_now": MARKET,
        "data_source": SOURCE,
    }.items():
        write(session, table, rows)
