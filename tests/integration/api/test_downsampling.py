"""Aggregated candles and downsampled ranges, compared with the same aggregation done here."""

from itertools import groupby

import pytest

from pipeline.times import HOUR_MS
from tests.integration.api import known
from tests.integration.api.known import MINUTE_MS, T0

DAY = {"from_": T0, "to": T0 + 24 * HOUR_MS}


def minutes(symbol="CANUSDT"):
    return [row for row in known.CANDLES if row["symbol"] == symbol and row["interval"] == "1m"]


@pytest.mark.parametrize(("interval", "length"), [("5m", 5), ("15m", 15), ("7m", 7), ("90m", 90)])
def test_aggregated_candle_has_the_open_high_low_close_and_sums_of_its_parts(rows, interval, length):
    found = rows("/klines", symbol="CANUSDT", interval=interval, limit=500)
    parts = {
        start * length * MINUTE_MS: list(group)
        for start, group in groupby(minutes(), lambda row: row["open_time"] // (length * MINUTE_MS))
    }
    assert [row["open_time"] for row in found] == list(parts)
    for row in found:
        part = parts[row["open_time"]]
        assert row == {
            "symbol": "CANUSDT",
            "interval": interval,
            "open_time": row["open_time"],
            "open_price": part[0]["open_price"],
            "close_price": part[-1]["close_price"],
            "high_price": max(p["high_price"] for p in part),
            "low_price": min(p["low_price"] for p in part),
            "volume": sum(p["volume"] for p in part),
            "quote_volume": sum(p["quote_volume"] for p in part),
            "number_of_trades": sum(p["number_of_trades"] for p in part),
            "taker_buy_volume": sum(p["taker_buy_volume"] for p in part),
            "taker_buy_quote_volume": sum(p["taker_buy_quote_volume"] for p in part),
            "close_time": row["open_time"] + length * MINUTE_MS - 1,
            "is_closed": len(part) == length and all(p["is_closed"] for p in part),
            "updated_at": max(p["updated_at"] for p in part),
        }


def test_aggregated_candle_with_a_missing_or_open_part_is_not_closed(rows):
    found = {row["open_time"]: row["is_closed"] for row in rows("/klines", symbol="CANUSDT", interval="5m")}
    assert found[T0 + 30 * MINUTE_MS] is False  # minutes 33 and 34 are missing
    assert found[T0 + 175 * MINUTE_MS] is False  # minute 179 is open
    assert sum(found.values()) == len(found) - 2


def test_range_selects_aggregated_candles_by_their_open_time(rows):
    found = rows("/klines", symbol="CANUSDT", interval="5m", from_=T0 + MINUTE_MS, to=T0 + 10 * MINUTE_MS)
    assert [row["open_time"] for row in found] == [T0 + 5 * MINUTE_MS]
    assert rows("/klines", symbol="CANUSDT", interval="5m", from_=T0, to=T0 + 1)[0]["volume"] == 7.5


def test_longer_candles_are_aggregated_from_the_longest_stored_ones_that_divide_them(rows):
    (first, *_) = rows("/klines", symbol="CANUSDT", interval="2h", **DAY)
    assert (first["open_price"], first["close_price"], first["volume"]) == (100.0, 102.0, 3.0)
    assert len(rows("/klines", symbol="CANUSDT", interval="2h", **DAY)) == 12
    (day,) = rows("/klines", symbol="CANUSDT", interval="1d", **DAY)
    assert (day["number_of_trades"], day["is_closed"]) == (sum(range(1, 25)), True)


def test_interval_that_is_no_multiple_of_a_stored_one_is_refused(ask):
    for interval in ("1M", "0m", "5s", "99999m"):
        assert ask("/klines", symbol="CANUSDT", interval=interval).json()["parameter"] == "interval"


def test_points_of_candles_choose_the_interval(rows):
    three_hours = {"from_": T0, "to": T0 + 3 * HOUR_MS}
    found = rows("/klines", symbol="CANUSDT", points=40, **three_hours)
    assert {row["interval"] for row in found} == {"5m"}
    assert len(found) == 36
    assert {row["interval"] for row in rows("/klines", symbol="CANUSDT", points=180, **three_hours)} == {"1m"}
    both = rows("/klines", symbol="CANUSDT,CANBUSDT", points=40, **three_hours)
    assert len(both) <= 40
    assert {row["symbol"] for row in both} == {"CANUSDT", "CANBUSDT"}


@pytest.mark.parametrize("points", [1, 7, 50, 100, 333, 5000])
def test_no_number_of_points_loses_a_spike(rows, points):
    found = rows("/latest_prices", symbol="SPIKEUSDT", points=points, from_=T0, to=T0 + 6 * HOUR_MS)
    assert 0 < len(found) <= points
    assert max(row["max_price"] for row in found) == 999.0
    assert min(row["min_price"] for row in found) == 50.0
    assert (found[0]["first_price"], found[-1]["price"]) == (known.SPIKES[0]["price"], known.SPIKES[-1]["price"])
    assert found[-1]["updated_at"] == known.SPIKES[-1]["updated_at"]


def test_bucket_of_prices_includes_its_start_and_excludes_its_end(rows):
    found = rows("/latest_prices", symbol="SPIKEUSDT", points=72, from_=T0, to=T0 + 6 * HOUR_MS)
    assert len(found) == 72
    for number, row in enumerate(found):
        part = known.SPIKES[number * 30 : number * 30 + 30]
        assert row == {
            "symbol": "SPIKEUSDT",
            "updated_at": part[-1]["updated_at"],
            "price": part[-1]["price"],
            "first_price": part[0]["price"],
            "min_price": min(p["price"] for p in part),
            "max_price": max(p["price"] for p in part),
        }


def test_request_from_cached_buckets_has_the_same_rows_as_the_first(rows):
    arguments = {"symbol": "SPIKEUSDT", "points": 12, "from_": T0 + 1}
    first = rows("/latest_prices", to=T0 + 6 * HOUR_MS - 1, **arguments)
    again = rows("/latest_prices", to=T0 + 6 * HOUR_MS - 2, **arguments)
    assert first == again


@pytest.mark.parametrize("table", ["latest_prices", "crypto_24h_stats"])
def test_rows_that_arrive_after_an_outage_are_in_the_next_reply(rows, writer, table):
    """Cached buckets must not hide them: only those that the symbol already has later rows than are
    cached."""
    insert = f"INSERT INTO {table} (symbol, updated_at) VALUES ('LATEUSDT', %s)"
    hours, arguments = [T0 + n * HOUR_MS for n in range(6)], {"symbol": "LATEUSDT", "points": 6, "from_": T0}
    for hour in hours[:2]:
        writer.execute(insert, (hour,))
    assert [r["updated_at"] for r in rows(f"/{table}", to=T0 + 6 * HOUR_MS, **arguments)] == hours[:2]
    for hour in hours[2:]:
        writer.execute(insert, (hour,))
    assert [r["updated_at"] for r in rows(f"/{table}", to=T0 + 6 * HOUR_MS - 1, **arguments)] == hours


@pytest.mark.parametrize("width", [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS])
def test_bucket_of_trades_has_the_sums_of_its_trades(rows, width):
    points = 5 * HOUR_MS // width + 1
    found = rows("/recent_trades", symbol="STEADYUSDT", points=points, from_=T0, to=T0 + 5 * HOUR_MS)
    buckets = groupby(known.STEADY, lambda row: row["trade_time"] // width)
    parts = {start * width: list(group) for start, group in buckets}
    assert found == [
        {
            "symbol": "STEADYUSDT",
            "trade_time": start,
            "first_price": part[0]["price"],
            "price": part[-1]["price"],
            "min_price": part[0]["price"],
            "max_price": part[-1]["price"],
            "quantity": float(len(part)),
            "quote_quantity": sum(p["quote_quantity"] for p in part),
            "buy_quantity": float(sum(not p["is_buyer_maker"] for p in part)),
            "sell_quantity": float(sum(p["is_buyer_maker"] for p in part)),
            "trades": len(part),
        }
        for start, part in parts.items()
    ]


def test_points_of_books_and_statistics_are_the_last_row_of_each_bucket(rows):
    books = rows("/order_book", symbol="BOOKUSDT", points=4, from_=T0, to=T0 + 4 * HOUR_MS, levels=1)
    assert [row["updated_at"] for row in books] == [T0 + (40 + 60 * n) * MINUTE_MS for n in range(4)]
    assert all(len(row["bids"]) == 1 for row in books)
    wide = rows("/order_book", symbol="BOOKUSDT", points=2, from_=T0, to=T0 + 4 * HOUR_MS)
    assert [row["updated_at"] for row in wide] == [T0 + 100 * MINUTE_MS, T0 + 220 * MINUTE_MS]
    stats = rows("/crypto_24h_stats", symbol="TENUSDT", points=10, from_=T0, to=T0 + 10 * MINUTE_MS)
    assert [row["trade_count"] for row in stats] == [6 * n + 5 for n in range(10)]


@pytest.mark.parametrize("route", ["/latest_prices", "/recent_trades", "/order_book", "/crypto_24h_stats", "/klines"])
@pytest.mark.parametrize("points", [3, 10, 77])
def test_all_symbols_together_have_at_most_points_rows(rows, route, points):
    symbols = "TENUSDT,SPIKEUSDT,STEADYUSDT,TIEAUSDT,BOOKUSDT,CANUSDT"
    assert len(rows(route, symbol=symbols, points=points, **DAY)) <= points


def test_points_without_a_symbol_are_refused(ask):
    assert ask("/latest_prices", points=10).json()["parameter"] == "points"
