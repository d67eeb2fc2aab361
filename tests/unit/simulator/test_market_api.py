"""The shapes, error bodies and weights of the market endpoints."""

import pytest

from .conftest import NOW_MS

FULL = [
    *("symbol", "priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice"),
    *("lastPrice", "lastQty", "bidPrice", "bidQty", "askPrice"),
    *("askQty", "openPrice", "highPrice", "lowPrice", "volume"),
    *("quoteVolume", "openTime", "closeTime", "firstId", "lastId"),
    *("count",),
]
MINI = [
    *("symbol", "openPrice", "highPrice", "lowPrice", "lastPrice"),
    *("volume", "quoteVolume", "openTime", "closeTime", "firstId"),
    *("lastId", "count"),
]
INTEGERS = {"openTime", "closeTime", "firstId", "lastId", "count"}


def get(client, path, **query):
    return client.get(f"/api/v3/{path}", query_string=query)


def test_ping_and_time(client):
    assert get(client, "ping").get_json() == {}
    assert get(client, "time").get_json() == {"serverTime": NOW_MS}


@pytest.mark.parametrize(("kind", "fields"), [("FULL", FULL), ("MINI", MINI)])
def test_day_statistics_have_exactly_the_documented_fields(client, kind, fields):
    one = get(client, "ticker/24hr", symbol="BTCUSDT", type=kind).get_json()
    assert list(one) == fields
    assert all(isinstance(one[name], int if name in INTEGERS else str) for name in fields)
    many = get(client, "ticker/24hr", symbols='["ETHUSDT","BTCUSDT"]', type=kind).get_json()
    assert [row["symbol"] for row in many] == ["ETHUSDT", "BTCUSDT"]
    assert len(get(client, "ticker/24hr", type=kind).get_json()) == 63


def test_price_and_book_ticker_have_exactly_the_documented_fields(client):
    assert list(get(client, "ticker/price", symbol="BTCUSDT").get_json()) == ["symbol", "price"]
    book = get(client, "ticker/bookTicker", symbol="BTCUSDT").get_json()
    assert list(book) == ["symbol", "bidPrice", "bidQty", "askPrice", "askQty"]
    for path in ("ticker/price", "ticker/bookTicker"):
        assert len(get(client, path).get_json()) == 63


def test_depth_has_the_requested_number_of_levels(client):
    for limit, expected in ((None, 100), (5, 5), (9999, 5000)):
        query = {"symbol": "BTCUSDT"} | ({"limit": limit} if limit else {})
        book = get(client, "depth", **query).get_json()
        assert list(book) == ["lastUpdateId", "bids", "asks"]
        assert (len(book["bids"]), len(book["asks"])) == (expected, expected)


def test_agg_trades_and_klines_have_the_documented_rows(client):
    trades = get(client, "aggTrades", symbol="BTCUSDT", limit=5000).get_json()
    assert len(trades) == 1000
    assert list(trades[0]) == list("apqflTmM")
    candles = get(client, "klines", symbol="BTCUSDT", interval="1m").get_json()
    assert len(candles) == 500
    assert [type(field) for field in candles[0]] == [int, *[str] * 5, int, str, int, *[str] * 3]
    assert candles[-1][0] <= NOW_MS <= candles[-1][6]


def test_times_may_be_given_in_microseconds(client):
    in_ms = get(client, "klines", symbol="BTCUSDT", interval="1m", startTime=NOW_MS - 600_000).get_json()
    in_us = get(client, "klines", symbol="BTCUSDT", interval="1m", startTime=(NOW_MS - 600_000) * 1000).get_json()
    assert in_ms == in_us


def test_exchange_info_lists_limits_and_symbols(client):
    whole = get(client, "exchangeInfo").get_json()
    assert {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000} in whole[
        "rateLimits"
    ]
    assert [entry["symbol"] for entry in whole["symbols"]][:3] == ["BTCUSDT", "ETHUSDT", "BNBUSDT"]
    names = [entry["symbol"] for entry in whole["symbols"]]
    assert {"SIM013USDT", "ETHBTC", "BNBETH", "XRPETH"} <= set(names)
    one = get(client, "exchangeInfo", symbol="ETHBTC").get_json()["symbols"]
    assert [(e["symbol"], e["status"], e["baseAsset"], e["quoteAsset"]) for e in one] == [
        ("ETHBTC", "TRADING", "ETH", "BTC")
    ]
    assert len(get(client, "exchangeInfo", symbols='["ETHBTC","BTCUSDT"]').get_json()["symbols"]) == 2


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("ticker/price", {"symbol": "NOPE"}, -1121),
        ("ticker/price", {"symbols": '["BTCUSDT","NOPE"]'}, -1121),
        ("exchangeInfo", {"symbols": '["BTCUSDT","NOPE"]'}, -1121),
        ("ticker/24hr", {"symbols": '["BTCUSDT", "ETHUSDT"]'}, -1100),
        ("ticker/24hr", {"symbols": "BTCUSDT,ETHUSDT"}, -1100),
        ("ticker/24hr", {"symbol": "btcusdt"}, -1100),
        ("ticker/24hr", {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
        ("ticker/24hr", {"symbolStatus": "ODD"}, -1122),
        ("ticker/24hr", {"symbol": "BTCUSDT", "symbolStatus": "HALT"}, -1220),
        ("depth", {}, -1102),
        ("depth", {"symbol": "NOPE"}, -1121),
        ("aggTrades", {"symbol": "BTCUSDT", "limit": "ten"}, -1100),
        ("aggTrades", {"symbol": "BTCUSDT", "limit": "0"}, -1130),
        ("aggTrades", {"symbol": "BTCUSDT", "fromId": "-1"}, -1100),
        ("klines", {"symbol": "BTCUSDT"}, -1102),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("klines", {"symbol": "BTCUSDT", "interval": "1M"}, -1120),
        ("klines", {"symbol": "NOPE", "interval": "1m"}, -1121),
    ],
)
def test_bad_requests_get_the_error_code_of_the_exchange(client, path, query, code):
    reply = get(client, path, **query)
    assert reply.status_code == 400
    assert list(reply.get_json()) == ["code", "msg"]
    assert reply.get_json()["code"] == code


def test_unknown_parameters_are_ignored(client):
    assert get(client, "ping", whatever=1).status_code == 200
    assert get(client, "ticker/price", symbol="BTCUSDT", limit="x").status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("ping", {}, 1),
        ("exchangeInfo", {}, 20),
        ("ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("ticker/24hr", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 2),
        ("ticker/24hr", {"symbols": "[" + ",".join(['"BTCUSDT"'] * 21) + "]"}, 40),
        ("ticker/24hr", {}, 80),
        ("ticker/price", {"symbol": "BTCUSDT"}, 2),
        ("ticker/price", {}, 4),
        ("ticker/bookTicker", {"symbols": '["BTCUSDT"]'}, 4),
        ("depth", {"symbol": "BTCUSDT"}, 5),
        ("depth", {"symbol": "BTCUSDT", "limit": 500}, 25),
        ("depth", {"symbol": "BTCUSDT", "limit": 1000}, 50),
        ("depth", {"symbol": "BTCUSDT", "limit": 5000}, 250),
        ("aggTrades", {"symbol": "BTCUSDT", "limit": 1}, 4),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 1}, 2),
    ],
)
def test_each_call_costs_its_documented_weight(client, path, query, weight):
    assert get(client, path, **query).headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


@pytest.mark.parametrize("path", ["/api/v3/ping", "/api/v3/klines", "/api/v3/nothing", "/sim/report"])
def test_every_reply_says_that_it_is_simulated(client, path):
    assert client.get(path).headers["X-Data-Source"] == "simulator: random market, seed 7"
    assert "X-MBX-USED-WEIGHT-1M" in client.get(path).headers
