"""Change events in Debezium's format, for benchmarks that need many of them without PostgreSQL.
Fields and sizes were taken from events of the real connector (3.7.0.Final, JSON without schema)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "ADAUSDT", "AVAXUSDT")


def iso(ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(table: str, after: dict, ts_ms: int, lsn: int, op: str = "c") -> bytes:
    source = {
        "version": "3.7.0.Final",
        "connector": "postgresql",
        "name": "crypto",
        "ts_ms": ts_ms,
        "snapshot": "false",
        "db": "market",
        "sequence": f'["{lsn - 100}","{lsn}"]',
        "ts_us": ts_ms * 1000,
        "ts_ns": ts_ms * 1_000_000,
        "schema": "public",
        "table": table,
        "txId": lsn // 1000,
        "lsn": lsn,
        "xmin": None,
    }
    event = {
        "before": None,
        "after": after,
        "source": source,
        "transaction": None,
        "op": op,
        "ts_ms": ts_ms + 20,
        "ts_us": ts_ms * 1000 + 20_123,
        "ts_ns": ts_ms * 1_000_000 + 20_123_456,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def trades(count: int, start_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of `count` trades of eight symbols, ten per second and symbol."""
    for number in range(count):
        symbol, trade_id = SYMBOLS[number % len(SYMBOLS)], number // len(SYMBOLS)
        time_ms = start_ms + trade_id * 100
        price = f"{100 + number % 977 / 100:.8f}"
        row = {
            "symbol": symbol,
            "trade_id": trade_id,
            "trade_time": iso(time_ms),
            "price": price,
            "quantity": f"{1 + number % 89 / 10:.8f}",
            "quote_quantity": f"{100 + number % 9973:.10f}",
            "is_buyer_maker": number % 3 == 0,
            "first_trade_id": trade_id * 2,
            "last_trade_id": trade_id * 2 + 1,
        }
        yield f'{{"symbol":"{symbol}"}}'.encode(), envelope("recent_trades", row, time_ms, 10_000_000 + number * 120)


def candles(count: int, start_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value): each candle is updated ten times before it closes, like an open candle that is
    polled."""
    for number in range(count):
        symbol = SYMBOLS[number % len(SYMBOLS)]
        step = number // len(SYMBOLS)
        open_ms, updates = start_ms + step // 10 * 60_000, step % 10
        now_ms = open_ms + updates * 6000
        row = {
            "symbol": symbol,
            "interval": "1m",
            "open_time": iso(open_ms),
            "open_price": "100.10000000",
            "high_price": f"{101 + updates}.00000000",
            "low_price": "99.00000000",
            "close_price": f"{100 + updates}.50000000",
            "volume": f"{10 * (updates + 1)}.12300000",
            "close_time": iso(open_ms + 59_999),
            "quote_volume": f"{1000 * (updates + 1)}.45600000",
            "number_of_trades": 10 * (updates + 1),
            "taker_buy_volume": "5.00000000",
            "taker_buy_quote_volume": "500.00000000",
            "is_closed": updates == 9,
            "updated_at": iso(now_ms),
        }
        yield f'{{"symbol":"{symbol}"}}'.encode(), envelope("klines", row, now_ms, 10_000_000 + number * 150, "u")


def prices(count: int, start_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value): 400 symbols, each changing every two seconds."""
    for number in range(count):
        symbol, now_ms = f"SIM{number % 400:03}USDT", start_ms + number // 400 * 2000
        row = {"symbol": symbol, "price": f"{1 + number % 1009 / 100:.8f}", "updated_at": iso(now_ms)}
        yield f'{{"symbol":"{symbol}"}}'.encode(), envelope("latest_prices", row, now_ms, 10_000_000 + number * 90, "u")


def statistics(count: int, start_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value): 400 symbols, each changing every ten seconds."""
    names = (
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
    for number in range(count):
        symbol, now_ms = f"SIM{number % 400:03}USDT", start_ms + number // 400 * 10_000
        row = {"symbol": symbol} | dict.fromkeys(names, f"{1 + number % 1009 / 100:.8f}")
        row |= {
            "open_time": iso(now_ms - 86_400_000),
            "close_time": iso(now_ms),
            "trade_count": number,
            "updated_at": iso(now_ms),
        }
        key = f'{{"symbol":"{symbol}"}}'.encode()
        yield key, envelope("crypto_24h_stats", row, now_ms, 10_000_000 + number * 200, "u")


def books(count: int, start_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value): order books with twenty levels per side."""
    for number in range(count):
        symbol, now_ms = SYMBOLS[number % len(SYMBOLS)], start_ms + number // len(SYMBOLS) * 3000
        sides = {
            side: json.dumps(
                [[f"{100 + sign * level / 100 + number % 7:.8f}", f"{level + 1}.00000000"] for level in range(20)]
            )
            for side, sign in (("bids", -1), ("asks", 1))
        }
        row = {"symbol": symbol, "last_update_id": number, **sides, "updated_at": iso(now_ms)}
        yield f'{{"symbol":"{symbol}"}}'.encode(), envelope("order_book", row, now_ms, 10_000_000 + number * 900, "u")
