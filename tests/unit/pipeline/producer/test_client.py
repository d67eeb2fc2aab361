"""Real requests to a server on a loopback port: every way in which the exchange refuses."""

import gzip
import json
import socket

import pytest

from pipeline.errors import ExchangeBanned, ExchangeError, UnknownSymbol
from pipeline.producer.ban import Ban
from pipeline.producer.budget import Budget
from pipeline.producer.client import BAN_WITHOUT_RETRY_AFTER_SECONDS, BadReply, Exchange, Restricted
from tests.unit.support.http_stub import Reply, as_json

PRICE = "/api/v3/ticker/price"


@pytest.fixture
def ban(clock):
    return Ban(clock)


@pytest.fixture
def budget(clock):
    return Budget(50, clock)


@pytest.fixture
def exchange(http_stub, ban, budget):
    return Exchange(http_stub.url, ban, budget)


def test_reply_is_its_json_and_parameters_are_sent(exchange, http_stub):
    http_stub.answer("GET", "/api/v3/klines", as_json([[1, "2"]]))
    assert exchange.get("/api/v3/klines", {"symbol": "ETHUSDT", "limit": 3}) == [[1, "2"]]
    assert http_stub.requests[0].params == {"symbol": "ETHUSDT", "limit": "3"}


def test_compressed_reply_is_read_like_a_plain_one(exchange, http_stub):
    http_stub.answer("GET", PRICE, Reply(200, gzip.compress(b'[{"symbol":"X"}]'), {"Content-Encoding": "gzip"}))
    assert exchange.get(PRICE) == [{"symbol": "X"}]


def test_used_weight_header_reaches_the_budget(exchange, http_stub, budget):
    http_stub.answer("GET", PRICE, as_json([], X_MBX_USED_WEIGHT_1M="4321"))
    exchange.get(PRICE)
    assert budget.used() == 4321


@pytest.mark.parametrize("header", ["", "many", "-5", "12.5"])
def test_used_weight_that_is_not_a_number_is_ignored(exchange, http_stub, budget, header):
    http_stub.answer("GET", PRICE, as_json([], X_MBX_USED_WEIGHT_1M=header))
    exchange.get(PRICE)
    assert budget.used() == 0


@pytest.mark.parametrize("status", [429, 418])
def test_ban_stops_every_request_for_as_long_as_the_reply_says(exchange, http_stub, ban, status, clock):
    body = {"code": -1003, "msg": "Too much request weight used"}
    http_stub.answer("GET", PRICE, as_json(body, status, Retry_After="17"))
    http_stub.answer("GET", "/api/v3/depth", as_json({}))
    with pytest.raises(ExchangeBanned, match="Too much request weight") as caught:
        exchange.get(PRICE)
    assert caught.value.retry_after_seconds == 17
    assert ban.remaining_seconds() == 17
    clock.now += 16
    with pytest.raises(ExchangeBanned) as later:
        exchange.get("/api/v3/depth")
    assert later.value.retry_after_seconds == pytest.approx(1)
    assert http_stub.paths("GET") == [PRICE]
    clock.now += 1
    assert exchange.get("/api/v3/depth") == {}


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}])
def test_ban_without_a_number_of_seconds_lasts_a_minute(exchange, http_stub, ban, headers):
    http_stub.answer("GET", PRICE, Reply(429, b"<html>", headers))
    with pytest.raises(ExchangeBanned):
        exchange.get(PRICE)
    assert ban.remaining_seconds() == BAN_WITHOUT_RETRY_AFTER_SECONDS == 60


def test_ban_of_zero_seconds_still_causes_a_pause(exchange, http_stub, ban):
    """Requests right after a 429 are what turns it into a 418."""
    http_stub.answer("GET", PRICE, as_json({"code": -1003, "msg": "Too many"}, 429, Retry_After="0"))
    with pytest.raises(ExchangeBanned) as caught:
        exchange.get(PRICE)
    assert ban.remaining_seconds() >= 1
    assert caught.value.retry_after_seconds >= 1


def test_restricted_location_names_the_setting_and_an_address_that_works(exchange, http_stub):
    body = {"code": 0, "msg": "Service unavailable from a restricted location"}
    http_stub.answer("GET", PRICE, as_json(body, 451))
    with pytest.raises(Restricted) as caught:
        exchange.get(PRICE)
    for part in (http_stub.url, "451", "BINANCE_BASE_URL", "https://data-api.binance.vision"):
        assert part in str(caught.value)


def test_firewall_page_is_one_short_line_without_its_html(exchange, http_stub, ban):
    page = b"<html><title>403 Forbidden</title>" + b"x" * 5000
    http_stub.answer("GET", PRICE, Reply(403, page, {"Content-Type": "text/html"}))
    with pytest.raises(ExchangeError, match="403 text/html") as caught:
        exchange.get(PRICE)
    assert "<html>" not in str(caught.value)
    assert ban.remaining_seconds() == 0


def test_unknown_symbol_is_recognised_by_its_code(exchange, http_stub):
    http_stub.answer("GET", PRICE, as_json({"code": -1121, "msg": "Invalid symbol."}, 400))
    with pytest.raises(UnknownSymbol, match="Invalid symbol"):
        exchange.get(PRICE)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"code": -1100, "msg": "Illegal characters"}),
        (500, {"code": -1000, "msg": "Unknown"}),
        (503, []),
        (400, 5),
        (400, {"code": "?", "msg": "x"}),
        (502, None),
        (204, {}),
    ],
)
def test_other_refusal_is_an_error_that_is_retried(exchange, http_stub, status, body):
    http_stub.answer("GET", PRICE, as_json(body, status) if status != 204 else Reply(204, b""))
    with pytest.raises(ExchangeError, match=str(status)) as caught:
        exchange.get(PRICE)
    assert type(caught.value) is ExchangeError
    assert caught.value.retriable


@pytest.mark.parametrize("body", [b"", b"<html>", b'[{"symbol":"ETHUSDT","pri', b"\xff"])
def test_reply_that_is_not_complete_json_is_a_bad_reply(exchange, http_stub, body):
    http_stub.answer("GET", PRICE, Reply(200, body))
    with pytest.raises(BadReply, match=PRICE):
        exchange.get(PRICE)


def test_connection_cut_in_the_middle_of_a_reply_is_an_error(exchange, http_stub):
    whole = json.dumps([{"symbol": "ETHUSDT", "price": "1"}] * 50).encode()
    http_stub.answer("GET", PRICE, Reply(200, whole, sent_bytes=100))
    with pytest.raises(ExchangeError, match=PRICE):
        exchange.get(PRICE)


def test_unreachable_exchange_is_an_error_that_names_the_address(ban, budget):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ExchangeError, match="refused") as caught:
            Exchange(url, ban, budget).get(PRICE)
    assert url + PRICE in str(caught.value)
    assert len(str(caught.value)) < 300


def test_simulator_names_itself_and_the_real_exchange_does_not(exchange, http_stub):
    http_stub.answer("GET", PRICE, as_json([]), as_json([], X_Data_Source="simulator: random market, seed 7"))
    exchange.get(PRICE)
    assert exchange.data_source == ""
    exchange.get(PRICE)
    assert exchange.data_source == "simulator: random market, seed 7"


def test_connection_is_kept_for_the_next_request(exchange, http_stub):
    http_stub.answer("GET", PRICE, as_json([]))
    exchange.get(PRICE)
    assert exchange._session() is exchange._session()
