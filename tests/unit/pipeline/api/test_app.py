"""The shape of every response, with a store that is empty, unavailable or broken."""

import re
from urllib.parse import urljoin

import pytest

from pipeline.api.app import create_app
from pipeline.errors import StoreUnavailable

DATA_ROUTES = [
    "/crypto_24h_stats",
    "/latest_prices",
    "/order_book",
    "/recent_trades",
    "/klines",
    "/symbols",
    "/forecasts",
]


class FakeStore:
    """Returns `rows` for every read, or raises `error`; `reads` are the statements."""

    def __init__(self, error=None, rows=()):
        self.error = error
        self.rows = list(rows)
        self.reads = []

    def select(self, columns, table, where="", values=()):
        return self.select_many(columns, table, where, [values])[0]

    def select_many(self, columns, table, where, many):
        found = []
        for values in many:
            self.reads.append((columns, table, where, list(values)))
            if self.error is not None:
                raise self.error
            found.append(list(self.rows))
        return found

    def columns_of(self, table):
        if self.error is not None:
            raise self.error
        return "*"

    def check(self):
        self.select("release_version", "system.local")


@pytest.fixture
def client(defaults):
    def make(error=None, rows=()):
        store = FakeStore(error, rows)
        made = create_app(defaults, store).test_client()
        made.store = store
        return made

    return make


@pytest.mark.parametrize("route", DATA_ROUTES)
def test_route_without_parameters_and_rows_is_200_and_an_empty_array(client, route):
    reply = client().get(route)
    assert (reply.status_code, reply.mimetype) == (200, "application/json")
    assert reply.get_json() == []


@pytest.mark.parametrize("route", DATA_ROUTES[:5])
@pytest.mark.parametrize(
    ("parameter", "value"), [("limit", "0"), ("from", "soon"), ("to", "soon"), ("symbol", ""), ("simbol", "A")]
)
def test_bad_parameter_is_400_with_its_name_and_nothing_is_read(client, route, parameter, value):
    made = client(StoreUnavailable("unavailable"))
    reply = made.get(route, query_string={parameter: value})
    assert (reply.status_code, reply.mimetype) == (400, "application/json")
    assert reply.get_json()["parameter"] == parameter
    assert set(reply.get_json()) == {"error", "parameter"}
    assert made.store.reads == []


@pytest.mark.parametrize("route", [*DATA_ROUTES, "/health"])
def test_unavailable_store_is_503_with_retry_after(client, route):
    reply = client(StoreUnavailable("10.0.0.7: refused, password=secret")).get(route)
    assert (reply.status_code, reply.mimetype) == (503, "application/json")
    assert int(reply.headers["Retry-After"]) > 0
    assert set(reply.get_json()) == {"error"}
    assert "10.0.0.7" not in reply.text
    assert "secret" not in reply.text


@pytest.mark.parametrize("route", ["/nowhere", "/klines/ETHUSDT", "/static/x"])
def test_unknown_path_is_404_as_json(client, route):
    reply = client().get(route)
    assert (reply.status_code, reply.mimetype) == (404, "application/json")
    assert set(reply.get_json()) == {"error"}


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_writing_is_405_as_json_and_changes_nothing(client, method):
    made = client()
    reply = getattr(made, method)("/klines")
    assert (reply.status_code, reply.mimetype) == (405, "application/json")
    assert set(reply.get_json()) == {"error"}
    assert made.store.reads == []


def test_405_lists_the_allowed_methods(client):
    """RFC 9110 15.5.6: a 405 must carry Allow."""
    assert "GET" in client().post("/klines").headers.get("Allow", "")


@pytest.mark.parametrize("route", ["/klines", "/health"])
def test_bug_is_500_as_json_without_a_stack_trace_but_with_one_in_the_log(client, route, caplog):
    reply = client(ZeroDivisionError("secret detail")).get(route)
    assert (reply.status_code, reply.mimetype) == (500, "application/json")
    assert set(reply.get_json()) == {"error"}
    for detail in ("Traceback", "ZeroDivisionError", "secret detail", ".py"):
        assert detail not in reply.text
    (logged,) = [record for record in caplog.records if record.getMessage() == "unexpected_error"]
    assert logged.exc_info[0] is ZeroDivisionError


def test_health_is_200_only_if_the_store_answers(client):
    assert client().get("/health").status_code == 200
    assert client(StoreUnavailable("unavailable")).get("/health").status_code == 503


def test_parameters_are_passed_to_the_store_as_bound_values_and_never_as_text(client):
    made = client()
    assert made.get("/latest_prices?symbol=ETHUSDT&from=5&to=9&limit=7").status_code == 200
    ((_, table, where, values),) = made.store.reads
    assert table == "latest_prices"
    assert values == ["ETHUSDT", 4, 9, 8]  # strictly above 4; one row more than the page
    assert "ETHUSDT" not in where
    assert "ALLOW FILTERING" not in where


def test_number_without_a_json_form_becomes_null_and_a_tuple_becomes_an_array(client):
    rows = [{"symbol": "X", "updated_at": 5, "bids": [(1.5, 2.0)], "spread": float("nan"), "trade_count": 2**53 + 1}]
    reply = client(rows=rows).get("/latest_prices?symbol=X")
    assert reply.get_json() == [
        {"symbol": "X", "updated_at": 5, "bids": [[1.5, 2.0]], "spread": None, "trade_count": 2**53 + 1}
    ]


def test_app_starts_without_cassandra_and_connects_only_when_it_reads(defaults):
    create_app(defaults)


NAME = "币安人生USDT"
PREFIXED = "http://proxy.example/crypto"


@pytest.mark.parametrize("symbol", [NAME, "БИТUSDT", "a b:c", "A,B", "<b>&'\"", "🚀USDT"])
@pytest.mark.parametrize("path", ["/latest_prices", "/latest_prices/"])
def test_link_leads_to_the_next_page_for_any_symbol(client, symbol, path):
    made = client(rows=[{"symbol": symbol, "updated_at": 5}, {"symbol": symbol, "updated_at": 6}])
    reply = made.get(f"{path}?symbol={NAME}&from=0&limit=1")
    (link,) = reply.headers.getlist("Link")
    assert link.isascii()
    target = link.removeprefix("<").removesuffix('>; rel="next"')
    assert "<" not in target
    assert target.startswith("/latest_prices?symbol=%E5%B8%81")
    assert made.get(target).status_code == 200


def test_symbol_is_read_in_percent_encoded_utf_8(client):
    made = client()
    assert made.get("/latest_prices?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt&from=1").status_code == 200
    ((_, _, _, values),) = made.store.reads
    assert values[0] == NAME


@pytest.mark.parametrize(
    "encoded", ["%FF", "%E5%B8", "%00", "%22", "%27", "%3Cscript%3E", "A%20B", "%E2%80%8B", "A%0AB"]
)
def test_hostile_symbol_is_400_and_not_repeated_in_the_reply(client, encoded):
    made = client()
    reply = made.get(f"/klines?symbol={encoded}")
    assert (reply.status_code, reply.get_json()["parameter"]) == (400, "symbol")
    assert "script" not in reply.text
    assert made.store.reads == []


def test_pages_link_relatively_and_have_one_address(client):
    made = client()
    for path in ("/", "/docs"):
        links = re.findall(r'href="([^"]*)"', made.get(path).text)
        assert len(links) > 10
        assert [link for link in links if link.startswith("/")] == []
    moved = made.get("/docs/")
    assert moved.status_code == 308
    assert urljoin(f"{PREFIXED}/docs/", moved.headers["Location"]) == f"{PREFIXED}/docs"
    assert made.get("/openapi.json").get_json()["servers"] == [{"url": "."}]


def test_forecasts_are_read_by_symbol_and_horizon(client):
    api = client()
    assert api.get("/forecasts?symbol=AUSDT,BUSDT&horizon=60m").status_code == 200
    forecasts = [read for read in api.store.reads if read[1] == "forecasts"]
    assert [values[:2] for *_, values in forecasts] == [["AUSDT", "1h"], ["BUSDT", "1h"]]
    assert all("symbol = ? AND horizon = ?" in where for _, _, where, _ in forecasts)


def test_forecasts_without_symbol_are_those_of_the_horizon(client):
    api = client(rows=[{"symbol": "AUSDT", "horizon": "15m", "made_at": 1}, {"symbol": "BUSDT", "horizon": "1h"}])
    api.get("/forecasts?limit=1")
    assert [read[3][:2] for read in api.store.reads if "made_at" in read[2]] == [["AUSDT", "15m"]]


@pytest.mark.parametrize("horizon", ["soon", "15", "0m"])
def test_horizon_that_is_no_interval_is_refused(client, horizon):
    reply = client().get(f"/forecasts?horizon={horizon}")
    assert (reply.status_code, reply.get_json()["parameter"]) == (400, "horizon")
