"""Weight per minute, the 429 window, and the ban that follows when calls continue."""

from simulator.intervals import MINUTE_MS

from .conftest import NOW_MS, client_of

MINUTE_END_MS = NOW_MS - NOW_MS % MINUTE_MS + MINUTE_MS
SECONDS_LEFT = -(-(MINUTE_END_MS - NOW_MS) // 1000)
WHOLE_MARKET = "/api/v3/ticker/24hr"  # weight 80


def test_weight_adds_up_within_a_minute_and_restarts_in_the_next(market, clock):
    client = client_of(market, clock)
    used = [int(client.get("/api/v3/ticker/price").headers["X-MBX-USED-WEIGHT-1M"]) for _ in range(3)]
    clock.now_ms = MINUTE_END_MS
    used.append(int(client.get("/api/v3/ping").headers["X-MBX-USED-WEIGHT-1M"]))
    assert used == [4, 8, 12, 1]


def test_calls_over_the_limit_are_refused_until_the_minute_ends(market, clock):
    client = client_of(market, clock, weight_limit=100)
    assert client.get(WHOLE_MARKET).status_code == 200
    refused = client.get(WHOLE_MARKET)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == str(SECONDS_LEFT)
    assert refused.get_json()["code"] == -1003
    clock.now_ms = MINUTE_END_MS
    assert client.get("/api/v3/ping").status_code == 200


def test_calls_that_continue_during_a_429_window_lead_to_a_ban(market, clock):
    client = client_of(market, clock, weight_limit=100)
    statuses = [client.get(WHOLE_MARKET).status_code for _ in range(2)]
    statuses += [client.get("/api/v3/ping").status_code for _ in range(4)]
    assert statuses == [200, 429, 429, 429, 429, 418]
    banned = client.get("/api/v3/ping")
    assert (banned.status_code, banned.headers["Retry-After"]) == (418, "120")
    clock.now_ms += 119_999
    assert client.get("/api/v3/ping").headers["Retry-After"] == "1"
    clock.now_ms += 1
    assert client.get("/api/v3/ping").status_code == 200


def test_ban_length_and_tolerated_calls_can_be_set(market, clock):
    client = client_of(market, clock, weight_limit=100)
    client.post("/sim/faults", json={"kind": "ban_rules", "ban_seconds": 7, "tolerated_calls": 0})
    statuses = [client.get(WHOLE_MARKET).status_code for _ in range(3)]
    assert statuses == [200, 429, 418]
    assert client.get("/api/v3/ping").headers["Retry-After"] == "7"


def test_report_counts_calls_violations_and_weights(market, clock):
    client = client_of(market, clock, weight_limit=100)
    for _ in range(3):
        client.get(WHOLE_MARKET)
    clock.now_ms = MINUTE_END_MS
    client.get("/api/v3/ping")
    report = client.get("/sim/report").get_json()
    assert report["calls"] == {WHOLE_MARKET: {"200": 1, "429": 2}, "/api/v3/ping": {"200": 1}}
    assert report["violation_count"] == 1
    assert report["violations"] == [{"time_ms": NOW_MS, "path": WHOLE_MARKET, "status": 429}]
    assert report["max_used_weight"] == 160
    assert [minute["weight"] for minute in report["minutes"]] == [160, 1]
    assert report["window"] is None


def test_report_can_be_reset(market, clock):
    client = client_of(market, clock, weight_limit=100)
    for _ in range(3):
        client.get(WHOLE_MARKET)
    client.delete("/sim/report")
    assert client.get("/sim/report").get_json()["violation_count"] == 0
    assert client.get("/api/v3/ping").status_code == 200


def test_simulator_routes_have_no_weight_and_are_never_banned(market, clock):
    client = client_of(market, clock, weight_limit=1)
    for _ in range(9):
        client.get(WHOLE_MARKET)
    assert client.get("/sim/report").status_code == 200
    assert client.get("/sim/report").headers["X-MBX-USED-WEIGHT-1M"] == "80"
