"""Candles and 24 h statistics of the random market are exactly the sums of its trades."""

from decimal import Decimal
from itertools import pairwise

import pytest

from simulator.intervals import DAY_MS, LENGTH_MS, MINUTE_MS
from simulator.market.random_market import RandomMarket

from .conftest import NOW_MS

SYMBOLS = ("BTCUSDT", "PEPEUSDT", "SIM015USDT", "XRPETH")


def all_trades(market, symbol, start_ms, end_ms, now_ms=NOW_MS):
    rows = market.agg_trades(symbol, now_ms, None, start_ms, end_ms, 1_000_000)
    assert len(rows) < 1_000_000
    return rows


def summed(rows, open_ms, close_ms, price_before):
    prices = [Decimal(row["p"]) for row in rows] or [Decimal(price_before)]
    taken = [row for row in rows if not row["m"]]
    return [
        open_ms,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum((Decimal(row["q"]) for row in rows), Decimal(0)),
        close_ms,
        sum((Decimal(row["p"]) * Decimal(row["q"]) for row in rows), Decimal(0)),
        sum(row["l"] - row["f"] + 1 for row in rows),
        sum((Decimal(row["q"]) for row in taken), Decimal(0)),
        sum((Decimal(row["p"]) * Decimal(row["q"]) for row in taken), Decimal(0)),
    ]


def as_numbers(candle):
    return [Decimal(field) if isinstance(field, str) else field for field in candle[:11]]


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize(("interval", "count"), [("1m", 30), ("3m", 4), ("15m", 3), ("1h", 2), ("4h", 1)])
def test_candles_are_the_sums_of_their_trades(market, symbol, interval, count):
    candles = market.klines(symbol, interval, NOW_MS, None, None, count)
    assert len(candles) == count
    previous_close = None
    for candle in candles:
        rows = all_trades(market, symbol, candle[0], candle[6])
        assert as_numbers(candle) == summed(rows, candle[0], candle[6], previous_close or candle[4])
        previous_close = candle[4]


def test_a_minute_without_trades_repeats_the_last_price_with_zero_volume():
    candles = RandomMarket(seed=7, symbol_count=400).klines("SIM300USDT", "1m", NOW_MS, None, None, 200)
    quiet = [(before, candle) for before, candle in pairwise(candles) if candle[8] == 0]
    assert quiet
    for before, candle in quiet:
        assert candle[1:6] == [before[4]] * 4 + ["0.00000000"]


@pytest.mark.parametrize("interval", LENGTH_MS)
def test_every_interval_opens_on_its_own_grid_without_gaps(market, interval):
    opens_ms = [candle[0] for candle in market.klines("SIM003USDT", interval, NOW_MS, None, None, 3)]
    length_ms = LENGTH_MS[interval]
    monday_ms = 4 * DAY_MS if interval == "1w" else 0
    assert all((open_ms - monday_ms) % length_ms == 0 for open_ms in opens_ms)
    assert [after - before for before, after in pairwise(opens_ms)] == [length_ms, length_ms]
    assert opens_ms[-1] <= NOW_MS < opens_ms[-1] + length_ms


def test_open_candle_contains_only_past_trades(market):
    open_ms = NOW_MS - NOW_MS % MINUTE_MS
    moments_ms = range(open_ms, open_ms + MINUTE_MS, 7_000)
    states = [market.klines("BTCUSDT", "1m", now_ms, None, None, 1)[0] for now_ms in moments_ms]
    counts = [state[8] for state in states]
    assert {state[0] for state in states} == {open_ms}
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert [state[4] for state in states] == [market.price("BTCUSDT", now_ms) for now_ms in moments_ms]


def test_a_closed_candle_never_changes(market):
    open_ms = NOW_MS - NOW_MS % MINUTE_MS - MINUTE_MS
    first = market.klines("BTCUSDT", "1m", open_ms + MINUTE_MS, open_ms, open_ms, 1)
    assert first == market.klines("BTCUSDT", "1m", NOW_MS + DAY_MS, open_ms, open_ms, 1)


def test_start_and_end_select_by_open_time_inclusively(market):
    opens_ms = [candle[0] for candle in market.klines("BTCUSDT", "1m", NOW_MS, None, None, 10)]

    def open_times(start_ms, end_ms, limit=1000):
        return [candle[0] for candle in market.klines("BTCUSDT", "1m", NOW_MS, start_ms, end_ms, limit)]

    assert open_times(opens_ms[3], opens_ms[6]) == opens_ms[3:7]
    assert open_times(opens_ms[3] + 1, opens_ms[6] - 1) == opens_ms[4:6]
    assert open_times(opens_ms[3], None, 2) == opens_ms[3:5]
    assert open_times(None, opens_ms[6], 2) == opens_ms[5:7]
    assert open_times(NOW_MS + MINUTE_MS, None) == []


@pytest.mark.parametrize("symbol", ["SIM015USDT", "XRPETH"])
def test_statistics_are_the_sums_of_the_trades_in_their_window(market, symbol):
    found = market.statistics(symbol, NOW_MS)
    rows = all_trades(market, symbol, found["openTime"], found["closeTime"])
    _, opened, high, low, last, volume, _, quote, count, _, _ = summed(rows, 0, 0, None)
    names = ("openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume", "count")
    assert [Decimal(found[name]) for name in names] == [opened, high, low, last, volume, quote, count]
    assert Decimal(found["priceChange"]) == last - opened
    assert (found["firstId"], found["lastId"]) == (rows[0]["f"], rows[-1]["l"])
    assert DAY_MS - MINUTE_MS <= found["closeTime"] - found["openTime"] <= DAY_MS
    assert found["closeTime"] <= NOW_MS


def test_statistics_agree_with_price_and_book_at_any_time(market):
    for now_ms in range(NOW_MS, NOW_MS + 130_000, 4_321):
        for symbol in SYMBOLS:
            found = market.statistics(symbol, now_ms)
            assert found["lastPrice"] == market.price(symbol, now_ms)
            assert float(found["lowPrice"]) <= float(found["lastPrice"]) <= float(found["highPrice"])
            assert found["lastPrice"] in (found["bidPrice"], found["askPrice"])
            assert float(found["bidPrice"]) < float(found["askPrice"])


def test_statistics_stay_the_same_until_a_trade_or_a_new_minute(market):
    minute_ms = NOW_MS - NOW_MS % MINUTE_MS
    replies = [market.statistics("SIM015USDT", now_ms) for now_ms in range(minute_ms, minute_ms + MINUTE_MS, 500)]
    trades = all_trades(market, "SIM015USDT", minute_ms + 1, minute_ms + MINUTE_MS - 500, NOW_MS + MINUTE_MS)
    changes = sum(before != after for before, after in pairwise(replies))
    assert 0 < changes <= len(trades)


@pytest.mark.parametrize("days_ago", [0, 17, 40])
def test_btc_and_eth_always_have_the_highest_turnover(market, days_ago):
    now_ms = NOW_MS - days_ago * DAY_MS
    usdt = [listing.symbol for listing in market.symbols() if listing.quote_asset == "USDT"]
    usdt.sort(key=lambda symbol: -float(market.statistics(symbol, now_ms)["quoteVolume"]))
    assert usdt[:2] == ["BTCUSDT", "ETHUSDT"]
