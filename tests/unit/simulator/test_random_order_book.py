"""The random market's order book: sorted, never crossed, and changing gradually."""

from itertools import pairwise

import pytest

from .conftest import NOW_MS


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SHIBUSDT", "SIM003USDT"])
def test_levels_are_best_first_and_never_crossed(market, symbol):
    for now_ms in range(NOW_MS, NOW_MS + 60_000, 1_234):
        book = market.depth(symbol, 50, now_ms)
        bids, asks = ([float(price) for price, _ in book[side]] for side in ("bids", "asks"))
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert bids[0] < asks[0]
        assert len(bids) == len(asks) == 50
        assert all(float(quantity) > 0 for side in ("bids", "asks") for _, quantity in book[side])


def test_the_last_price_is_at_the_best_bid_or_ask(market):
    book = market.depth("BTCUSDT", 1, NOW_MS)
    assert market.price("BTCUSDT", NOW_MS) in (book["bids"][0][0], book["asks"][0][0])
    ticker = market.book_ticker("BTCUSDT", NOW_MS)
    assert [ticker["bidPrice"], ticker["bidQty"]] == book["bids"][0]
    assert [ticker["askPrice"], ticker["askQty"]] == book["asks"][0]


def test_update_id_grows_and_equal_ids_mean_equal_books(market):
    books = [market.depth("BTCUSDT", 10, NOW_MS + step) for step in range(0, 5_000, 20)]
    ids = [book["lastUpdateId"] for book in books]
    assert ids == sorted(ids)
    for before, after in pairwise(books):
        assert before["lastUpdateId"] < after["lastUpdateId"] or before == after


def test_a_small_step_in_time_changes_few_levels_while_the_price_stays(market):
    now_ms = NOW_MS
    while market.price("SIM015USDT", now_ms) != market.price("SIM015USDT", now_ms + 1_000):
        now_ms += 1_000
    before, after = (market.depth("SIM015USDT", 100, moment)["bids"] for moment in (now_ms, now_ms + 1_000))
    changed = sum(one != other for one, other in zip(before, after))
    assert 0 < changed < 40
