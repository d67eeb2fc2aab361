"""Following the Link headers from page to page: every row once, whatever the page size and however
many rows share a time."""

from urllib.parse import urljoin

import pytest
import requests

from pipeline.times import HOUR_MS
from tests.integration.api import known
from tests.integration.api.known import T0


def follow(base, path, **arguments):
    """The rows of all pages, in the order in which they were read."""
    reply = requests.get(base + path, params={name.rstrip("_"): v for name, v in arguments.items()}, timeout=15)
    pages = []
    while True:
        assert reply.status_code == 200, reply.text
        pages.append(reply.json())
        if "next" not in reply.links:
            return pages
        assert len(pages) < 1000
        reply = requests.get(urljoin(reply.url, reply.links["next"]["url"]), timeout=15)


def keys(rows):
    return [(row["trade_time"], row["symbol"], row["trade_id"]) for row in rows]


ALL_TIES = sorted(keys(known.TIES))


@pytest.mark.parametrize("limit", [1, 3, 7, 10, 20, 79, 80, 81])
def test_trades_that_share_a_millisecond_are_paged_without_loss_or_repeat(base, limit):
    pages = follow(base, "/recent_trades", symbol="TIEBUSDT,TIEAUSDT", from_=T0, limit=limit)
    assert [key for page in pages for key in keys(page)] == ALL_TIES
    assert [len(page) for page in pages] == [limit] * (80 // limit) + ([80 % limit] if 80 % limit else [])


@pytest.mark.parametrize("limit", [1, 7, 20, 81])
def test_pages_without_from_go_backward_from_the_newest_row(base, limit):
    pages = follow(base, "/recent_trades", symbol="TIEAUSDT,TIEBUSDT", limit=limit)
    assert [key for page in reversed(pages) for key in keys(page)] == ALL_TIES


def test_page_that_ends_with_an_hour_links_to_the_next_hour(base):
    pages = follow(base, "/recent_trades", symbol="TIEAUSDT", from_=T0, to=T0 + HOUR_MS + 1, limit=20)
    assert [key for page in pages for key in keys(page)] == [
        key for key in ALL_TIES if key[1] == "TIEAUSDT" and key[0] <= T0 + HOUR_MS
    ]


@pytest.mark.parametrize("from_", [{}, {"from_": T0}])
@pytest.mark.parametrize("limit", [1, 4, 11])
def test_prices_of_several_symbols_are_paged_in_both_directions(base, from_, limit):
    pages = follow(base, "/latest_prices", symbol="TENUSDT,ONEUSDT", limit=limit, **from_)
    order = pages if from_ else reversed(pages)
    found = [(row["updated_at"], row["symbol"]) for page in order for row in page]
    assert found == sorted((row["updated_at"], row["symbol"]) for row in known.PRICES)


@pytest.mark.parametrize("from_", [{}, {"from_": T0 - HOUR_MS}])  # a 7m candle opens before T0
@pytest.mark.parametrize("interval", ["1m", "5m", "7m"])
def test_stored_and_aggregated_candles_are_paged_without_loss_or_repeat(base, rows, from_, interval):
    expected = rows("/klines", symbol="CANUSDT,CANBUSDT", interval=interval, limit=5000)
    pages = follow(base, "/klines", symbol="CANUSDT,CANBUSDT", interval=interval, limit=9, **from_)
    assert [row for page in (pages if from_ else reversed(pages)) for row in page] == expected


def test_last_page_has_no_link_even_if_it_is_full(ask):
    assert "next" not in ask("/latest_prices", symbol="TENUSDT", from_=T0, limit=10).links
    assert "next" in ask("/latest_prices", symbol="TENUSDT", from_=T0, limit=9).links


def test_history_of_the_whole_market_is_paged(base):
    pages = follow(base, "/latest_prices", quote_asset="USDT", from_=T0, limit=4)
    assert [row["updated_at"] for page in pages for row in page] == [T0 + 1000 * n for n in range(10)]


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_symbols_of_any_script_are_paged_and_read(base, rows, limit):
    pages = follow(base, "/latest_prices", quote_asset="JPY", from_=T0, limit=limit)
    wanted = sorted((row["updated_at"], row["symbol"]) for row in known.SCRIPTS)
    assert [(row["updated_at"], row["symbol"]) for page in pages for row in page] == wanted
    assert len(rows("/latest_prices", symbol="币安人生jpy", from_=T0)) == 3
