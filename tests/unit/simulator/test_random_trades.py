"""The random market's trades and prices: pure, consecutive, never from the future."""

from itertools import pairwise

import pytest

from simulator.market.blocks import EPOCH_MS
from simulator.market.random_market import TRADE_RETENTION_MS, RandomMarket

from .conftest import NOW_MS

SYMBOLS = ("BTCUSDT", "SHIBUSDT", "SIM003USDT", "ETHBTC")


def newest(market: RandomMarket, symbol: str, limit: int = 300, now_ms: int = NOW_MS) -> list[dict]:
    return market.agg_trades(symbol, now_ms, None, None, None, limit)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_ids_are_consecutive_and_raw_ranges_have_no_gap(market, symbol):
    rows = newest(market, symbol)
    assert [row["a"] for row in rows] == list(range(rows[0]["a"], rows[0]["a"] + 300))
    assert all(before["l"] + 1 == after["f"] for before, after in pairwise(rows))
    assert all(row["f"] <= row["l"] for row in rows)
    assert len({row["l"] - row["f"] for row in rows}) > 1


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_times_never_go_back_and_some_neighbours_share_a_millisecond(market, symbol):
    times_ms = [row["T"] for row in newest(market, symbol)]
    assert times_ms == sorted(times_ms)
    assert len(set(times_ms)) < len(times_ms)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_two_instances_return_the_same_data(market, symbol):
    other = RandomMarket(seed=7, symbol_count=60)
    # In another order and after other requests.
    later = other.statistics(symbol, NOW_MS + 3_600_000)
    assert newest(other, symbol) == newest(market, symbol)
    assert other.depth(symbol, 20, NOW_MS) == market.depth(symbol, 20, NOW_MS)
    assert other.klines(symbol, "5m", NOW_MS, None, None, 50) == market.klines(symbol, "5m", NOW_MS, None, None, 50)
    assert market.statistics(symbol, NOW_MS + 3_600_000) == later


def test_another_seed_is_another_market(market):
    assert newest(RandomMarket(seed=8, symbol_count=5), "BTCUSDT") != newest(market, "BTCUSDT")


def test_the_number_of_listed_symbols_does_not_affect_prices(market):
    assert newest(RandomMarket(seed=7, symbol_count=20), "BTCUSDT") == newest(market, "BTCUSDT")


def test_all_trades_up_to_now_are_returned_and_no_later_ones(market):
    rows = newest(market, "BTCUSDT", 200, NOW_MS + 20_000)
    for now_ms in range(NOW_MS, NOW_MS + 20_000, 777):
        seen = [row["a"] for row in newest(market, "BTCUSDT", 10, now_ms)]
        assert seen[-1] == max(row["a"] for row in rows if row["T"] <= now_ms)


def test_from_id_is_inclusive_and_pages_have_no_gap(market):
    rows = newest(market, "BTCUSDT", 100)
    first = market.agg_trades("BTCUSDT", NOW_MS, rows[0]["a"], None, None, 40)
    second = market.agg_trades("BTCUSDT", NOW_MS, first[-1]["a"] + 1, None, None, 60)
    assert first + second == rows
    assert market.agg_trades("BTCUSDT", NOW_MS, rows[-1]["a"] + 1, None, None, 10) == []


def test_too_old_from_id_returns_from_the_oldest_kept_trade_on(market):
    row = market.agg_trades("BTCUSDT", NOW_MS, 1, None, None, 1)[0]
    assert row["a"] > 1
    assert 0 <= row["T"] - (NOW_MS - TRADE_RETENTION_MS) < 2_000


def test_time_bounds_are_inclusive(market):
    rows = newest(market, "BTCUSDT", 50)
    start_ms, end_ms = rows[10]["T"], rows[30]["T"]
    expected = [row for row in rows if start_ms <= row["T"] <= end_ms]
    assert market.agg_trades("BTCUSDT", NOW_MS, None, start_ms, end_ms, 1000) == expected
    assert market.agg_trades("BTCUSDT", NOW_MS, None, None, end_ms, 5)[-1] == expected[-1]


def test_price_is_that_of_the_last_trade(market):
    for symbol in SYMBOLS:
        assert market.price(symbol, NOW_MS) == newest(market, symbol, 1)[0]["p"]


def test_price_of_a_quiet_symbol_is_constant_between_trades(market):
    rows = newest(market, "SIM015USDT", 20)
    before, after = next((one, other) for one, other in pairwise(rows) if one["T"] + 10_000 < other["T"])
    assert {market.price("SIM015USDT", now_ms) for now_ms in range(before["T"], after["T"], 997)} == {before["p"]}


def test_cross_rate_follows_its_two_legs(market):
    cross = float(market.price("ETHBTC", NOW_MS))
    legs = float(market.price("ETHUSDT", NOW_MS)) / float(market.price("BTCUSDT", NOW_MS))
    assert cross == pytest.approx(legs, rel=0.005)


def test_nothing_exists_before_the_epoch(market):
    assert market.agg_trades("BTCUSDT", NOW_MS, None, 0, EPOCH_MS - 1, 10) == []
    assert market.klines("BTCUSDT", "1m", NOW_MS, 0, EPOCH_MS - 1, 10) == []
    assert market.klines("BTCUSDT", "1m", NOW_MS, 0, None, 2)[0][0] == EPOCH_MS
