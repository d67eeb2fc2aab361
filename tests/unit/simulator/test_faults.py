"""Each kind of fault has its documented effect on the calls that it applies to, and on no
others."""

import json
from pathlib import Path

import pytest

import simulator
from simulator.web.fault_kinds import KINDS

from .conftest import NOW_MS, Clock, client_of

PING, PRICE, TRADES = "/api/v3/ping", "/api/v3/ticker/price", "/api/v3/aggTrades"


def switch_on(client, **fault):
    reply = client.post("/sim/faults", json=fault)
    assert reply.status_code == 201, reply.get_json()
    return reply.get_json()[0]


def statuses(client, count, path=PING):
    return [client.get(path).status_code for _ in range(count)]


@pytest.mark.parametrize(("kind", "status"), [("http_429", 429), ("http_418", 418)])
def test_ban_window_refuses_every_endpoint_and_counts_violations(client, clock, kind, status):
    switch_on(client, kind=kind, retry_after_seconds=30, count=1, paths=[PRICE])
    assert client.get(PING).status_code == 200
    first = client.get(PRICE)
    assert (first.status_code, first.headers["Retry-After"]) == (status, "30")
    assert first.get_json()["code"] == -1003
    clock.now_ms += 10_500
    inside = client.get(PING)
    assert (inside.status_code, inside.headers["Retry-After"]) == (status, "20")
    report = client.get("/sim/report").get_json()
    assert report["violations"] == [{"time_ms": NOW_MS + 10_500, "path": PING, "status": status}]
    clock.now_ms += 19_500
    assert statuses(client, 2) == [200, 200]


def test_429_window_of_a_fault_never_becomes_a_ban(client):
    switch_on(client, kind="http_429", count=1)
    assert statuses(client, 20) == [429] * 20


def test_http_403_is_an_html_page(client):
    switch_on(client, kind="http_403_html")
    reply = client.get(PING)
    assert (reply.status_code, reply.mimetype) == (403, "text/html")
    assert reply.get_json(silent=True) is None


def test_http_451_names_the_restricted_location(client):
    switch_on(client, kind="http_451")
    reply = client.get(PING)
    assert (reply.status_code, reply.get_json()["code"]) == (451, 0)
    assert "restricted location" in reply.get_json()["msg"]


def test_http_5xx_has_the_chosen_status(client):
    switch_on(client, kind="http_5xx", status=502, count=2)
    assert statuses(client, 3) == [502, 502, 200]


def test_timeout_holds_the_reply_and_then_answers_504(client, clock):
    switch_on(client, kind="timeout", seconds=25, count=1)
    reply = client.get(PING)
    assert (reply.status_code, reply.get_json()["code"]) == (504, -1007)
    assert clock.slept == [25]


def test_slow_delays_the_ordinary_reply(client, clock):
    switch_on(client, kind="slow", seconds=3, count=1)
    assert client.get(PING).get_json() == {}
    assert clock.slept == [3]


def test_disconnect_sends_nothing(client):
    switch_on(client, kind="disconnect", count=1)
    with pytest.raises(ConnectionAbortedError):
        client.get(PING).get_data()
    assert client.get("/sim/report").get_json()["calls"] == {PING: {"disconnect": 1}}


def test_truncated_reply_is_incomplete_json_with_a_matching_length(client):
    switch_on(client, kind="truncated", count=1)
    reply = client.get(PRICE)
    assert reply.status_code == 200
    assert int(reply.headers["Content-Length"]) == len(reply.data)
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.data)


def test_truncated_reply_may_declare_its_full_length(client):
    switch_on(client, kind="truncated", content_length="full", count=1)
    reply = client.get(PRICE, buffered=False)
    sent = next(reply.iter_encoded())
    assert int(reply.headers["Content-Length"]) > len(sent)


def test_wrong_shape_is_valid_json_of_another_structure(client):
    switch_on(client, kind="wrong_shape", count=2)
    assert isinstance(client.get(PRICE).get_json(), dict)
    assert isinstance(client.get(PING).get_json(), list)
    switch_on(client, kind="wrong_shape", body=[{"symbol": 5}], count=1)
    assert client.get(PRICE).get_json() == [{"symbol": 5}]


def test_odd_field_changes_one_symbol_of_the_market(client):
    switch_on(client, kind="odd_field", symbol="ETHUSDT", field="price", value=[["1"]])
    found = {row["symbol"]: row["price"] for row in client.get(PRICE).get_json()}
    assert found["ETHUSDT"] == [["1"]]
    assert isinstance(found["BTCUSDT"], str)


@pytest.mark.parametrize(("which", "odd"), [("first", [0]), ("last", [4]), ("all", [0, 1, 2, 3, 4])])
def test_odd_field_changes_chosen_entries_of_a_symbols_reply(client, which, odd):
    switch_on(client, kind="odd_field", symbol="ETHUSDT", field="p", missing=True, which=which)
    rows = client.get(TRADES, query_string={"symbol": "ETHUSDT", "limit": 5}).get_json()
    assert [n for n, row in enumerate(rows) if "p" not in row] == odd
    rows = client.get(TRADES, query_string={"symbol": "BTCUSDT", "limit": 5}).get_json()
    assert all("p" in row for row in rows)


def test_odd_field_changes_arrays_books_and_the_listing(client):
    switch_on(client, kind="odd_field", symbol="ETHUSDT", field=4, value=None, paths=["/api/v3/klines"])
    switch_on(client, kind="odd_field", symbol="ETHUSDT", field="bids", value=None, paths=["/api/v3/depth"])
    switch_on(
        client, kind="odd_field", symbol="ETHUSDT", field="quoteAsset", value=None, paths=["/api/v3/exchangeInfo"]
    )
    query = {"symbol": "ETHUSDT", "interval": "1m", "limit": 2}
    assert [row[4] for row in client.get("/api/v3/klines", query_string=query).get_json()] == [None, None]
    assert client.get("/api/v3/depth?symbol=ETHUSDT").get_json()["bids"] is None
    listed = {
        entry["symbol"]: entry["quoteAsset"] for entry in client.get("/api/v3/exchangeInfo").get_json()["symbols"]
    }
    assert (listed["ETHUSDT"], listed["BTCUSDT"]) == (None, "USDT")


def test_new_symbol_may_be_of_any_script(client):
    switch_on(client, kind="new_symbol", symbol="币安人生USDT")
    assert len(client.get(TRADES, query_string={"symbol": "币安人生USDT", "limit": 10}).get_json()) == 10


def test_invalid_symbol_becomes_unknown(client):
    switch_on(client, kind="invalid_symbol", symbol="ETHUSDT")
    assert client.get(PRICE, query_string={"symbol": "ETHUSDT"}).get_json()["code"] == -1121
    assert client.get(PRICE, query_string={"symbols": '["BTCUSDT","ETHUSDT"]'}).get_json()["code"] == -1121
    assert "ETHUSDT" not in [row["symbol"] for row in client.get(PRICE).get_json()]
    assert client.get(PRICE, query_string={"symbol": "BTCUSDT"}).status_code == 200


def test_symbol_status_shows_in_exchange_info_and_symbol_status_filter(client):
    switch_on(client, kind="symbol_status", symbol="ETHUSDT", status="BREAK")
    entry = client.get("/api/v3/exchangeInfo?symbol=ETHUSDT").get_json()["symbols"][0]
    assert entry["status"] == "BREAK"
    trading = client.get(PRICE, query_string={"symbolStatus": "TRADING"}).get_json()
    assert "ETHUSDT" not in [row["symbol"] for row in trading]


def test_new_symbol_is_listed_and_traded(client):
    switch_on(client, kind="new_symbol", symbol="FRESHUSDT")
    entry = client.get("/api/v3/exchangeInfo?symbol=FRESHUSDT").get_json()["symbols"][0]
    assert (entry["baseAsset"], entry["quoteAsset"]) == ("FRESH", "USDT")
    assert "FRESHUSDT" in [row["symbol"] for row in client.get("/api/v3/ticker/24hr").get_json()]
    assert len(client.get(TRADES, query_string={"symbol": "FRESHUSDT", "limit": 10}).get_json()) == 10


def test_new_symbol_is_refused_in_a_replay(replay):
    reply = client_of(replay, Clock()).post("/sim/faults", json={"kind": "new_symbol", "symbol": "FRESHUSDT"})
    assert reply.status_code == 400


def test_id_gap_hides_trades_and_the_page_continues_after_it(client):
    rows = client.get(TRADES, query_string={"symbol": "BTCUSDT", "limit": 50}).get_json()
    ids = [row["a"] for row in rows]
    switch_on(client, kind="id_gap", symbol="BTCUSDT", from_id=ids[10], to_id=ids[19])
    found = client.get(TRADES, query_string={"symbol": "BTCUSDT", "fromId": ids[0], "limit": 30}).get_json()
    assert [row["a"] for row in found] == ids[:10] + ids[20:40]
    behind = client.get(TRADES, query_string={"symbol": "BTCUSDT", "fromId": ids[10], "limit": 1}).get_json()
    assert behind[0]["a"] == ids[20]
    newest = client.get(TRADES, query_string={"symbol": "BTCUSDT", "limit": 50}).get_json()
    assert (len(newest), newest[-1]["a"]) == (50, ids[-1])
    other = client.get(TRADES, query_string={"symbol": "ETHUSDT", "limit": 1000}).get_json()
    assert [row["a"] for row in other] == list(range(other[0]["a"], other[0]["a"] + 1000))


def test_weight_used_by_others_counts_in_header_and_limit(client):
    switch_on(client, kind="used_weight", weight=5_990)
    assert client.get(PING).headers["X-MBX-USED-WEIGHT-1M"] == "5991"
    assert client.get("/api/v3/exchangeInfo").status_code == 429


def test_fault_applies_only_to_its_paths_and_its_time(client, clock):
    switch_on(client, kind="http_5xx", paths=[PRICE], duration_seconds=10)
    assert statuses(client, 1, PING) + statuses(client, 1, PRICE) == [200, 503]
    clock.now_ms += 10_000
    assert statuses(client, 1, PRICE) == [200]


def test_random_faults_are_repeatable(market):
    def run():
        client = client_of(market, Clock())
        switch_on(client, kind="http_5xx", probability=0.5)
        return statuses(client, 60)

    assert run() == run()
    assert 15 < run().count(503) < 45


def test_faults_are_shown_with_their_remaining_count_and_cleared(client):
    fault = switch_on(client, kind="http_429", count=2)
    client.get(PING)
    shown = client.get("/sim/faults").get_json()
    assert [(one["id"], one["count_left"], one["times_struck"]) for one in shown] == [(fault["id"], 1, 1)]
    assert client.delete("/sim/faults").get_json() == []
    assert client.get("/sim/faults").get_json() == []
    assert client.get(PING).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        None,
        "http_429",
        {},
        {"kind": "odd"},
        {"kind": "http_429", "retry_after_seconds": -1},
        {"kind": "http_429", "retry_after": 5},
        {"kind": "http_429", "paths": ["/api/v3/odd"]},
        {"kind": "http_429", "probability": 2},
        {"kind": "http_5xx", "status": 404},
        {"kind": "slow", "count": 1.5},
        {"kind": "invalid_symbol"},
        {"kind": "invalid_symbol", "symbol": "BTCUSDT", "count": 1},
        {"kind": "id_gap", "symbol": "BTCUSDT", "from_id": 9, "to_id": 1},
    ],
)
def test_a_wrong_fault_is_refused_and_nothing_is_switched_on(client, fault):
    reply = client.post("/sim/faults", json=[{"kind": "http_5xx"}, fault])
    assert reply.status_code == 400
    assert list(reply.get_json()) == ["error"]
    assert client.get("/sim/faults").get_json() == []


def test_every_kind_is_explained_in_the_readme():
    text = Path(simulator.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
