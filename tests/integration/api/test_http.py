"""What every reply has besides its rows, from the real server."""

import json
import re
import socket

import pytest
import requests

from tests.support.program import Program
from tests.support.waiting import wait_until

ROWS = "/latest_prices?symbol=SPIKEUSDT&limit=500"


@pytest.mark.parametrize("path", ["/klines", "/klines/", "/health", "/", "/docs", "/metrics", "/openapi.json"])
def test_head_is_get_without_the_body(base, path):
    get = requests.get(base + path, timeout=5, headers={"Accept-Encoding": "identity"})
    head = requests.head(base + path, timeout=5, headers={"Accept-Encoding": "identity"})
    assert (get.status_code, head.status_code, head.content) == (200, 200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_trailing_slash_makes_no_difference(base):
    assert requests.get(f"{base}/symbols/", timeout=5).json() == requests.get(f"{base}/symbols", timeout=5).json()


def test_options_lists_the_allowed_methods(base):
    reply = requests.options(f"{base}/klines", timeout=5)
    assert reply.status_code == 200
    assert set(reply.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("symbol=A&symbol=B", "symbol"),
        ("limit=5&limit=5", "limit"),
        ("simbol=A", "simbol"),
        ("from=2026-02-30", "from"),
        ("to=yesterday", "to"),
        ("limit=0", "limit"),
        ("limit=99999", "limit"),
        ("from=2&to=1", "from"),
        ("points=0", "points"),
        ("points=5&symbol=A&cursor=1:A:0", "cursor"),
        ("cursor=1", "cursor"),
        ("symbol=%00", "symbol"),
        ("interval=7x", "interval"),
        ("levels=5", "levels"),
        ("sort=volume", "sort"),
    ],
)
def test_bad_request_is_400_with_the_parameter_and_what_is_allowed(base, query, parameter):
    reply = requests.get(f"{base}/klines?{query}", timeout=5)
    assert (reply.status_code, reply.headers["Content-Type"]) == (400, "application/json")
    assert reply.json()["parameter"] == parameter
    assert len(reply.json()["error"]) > 15


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("POST", "/klines", 405)])
def test_error_is_json_with_a_request_id_and_without_a_stack_trace(base, method, path, status):
    reply = requests.request(method, base + path, timeout=5)
    assert (reply.status_code, set(reply.json())) == (status, {"error"})
    assert reply.headers["X-Request-Id"]
    assert "Traceback" not in reply.text


def test_gzip_is_for_clients_that_accept_it_and_for_large_bodies(base):
    plain = requests.get(base + ROWS, timeout=5, headers={"Accept-Encoding": "identity"})
    packed = requests.get(base + ROWS, timeout=5, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 3
    assert packed.json() == plain.json()
    refused = requests.get(base + ROWS, timeout=5, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers
    small = requests.get(f"{base}/latest_prices?symbol=ONEUSDT", timeout=5, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_unchanged_body_is_304_for_clients_that_have_it(base):
    first = requests.get(base + ROWS, timeout=5)
    again = requests.get(base + ROWS, timeout=5, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert first.headers["Cache-Control"] == "max-age=1"
    assert requests.get(base + ROWS, timeout=5, headers={"If-None-Match": 'W/"other"'}).status_code == 200
    assert requests.get(f"{base}/health", timeout=5).headers["Cache-Control"] == "no-store"


def request_lines(api: Program, identity: str) -> list[dict]:
    lines = [json.loads(line) for line in api.output().split("\n") if line.startswith("{")]
    return [line for line in lines if line.get("request_id") == identity]


def test_request_is_logged_once_with_its_id(base, api):
    reply = requests.get(f"{base}/latest_prices?symbol=ONEUSDT", headers={"X-Request-Id": "test-77.a"}, timeout=5)
    assert reply.headers["X-Request-Id"] == "test-77.a"
    wait_until(lambda: len(request_lines(api, "test-77.a")) == 1 or api.output()[-500:], 5, "the line")
    (line,) = request_lines(api, "test-77.a")
    assert {name: line[name] for name in ("event", "method", "path", "query", "status", "rows")} == {
        "event": "request",
        "method": "GET",
        "path": "/latest_prices",
        "query": "symbol=ONEUSDT",
        "status": 200,
        "rows": 1,
    }
    assert line["took_ms"] >= 0
    assert line["bytes"] == len(reply.content)


@pytest.mark.parametrize("identity", ["a b", "x" * 65, "é", "<script>", 'a"b'])
def test_unsafe_request_id_is_replaced(base, identity):
    reply = requests.get(f"{base}/health", headers={"X-Request-Id": identity.encode()}, timeout=5)
    assert re.fullmatch("[0-9a-f]{32}", reply.headers["X-Request-Id"])


def test_metrics_count_requests_rows_and_lookups(base, metric):
    requests_before = metric("api_requests_total", route="/latest_prices", status="200")
    rows_before = metric("api_rows_returned_total", route="/latest_prices")
    requests.get(f"{base}/latest_prices?symbol=TENUSDT&limit=10", timeout=5)
    assert metric("api_requests_total", route="/latest_prices", status="200") == requests_before + 1
    assert metric("api_rows_returned_total", route="/latest_prices") == rows_before + 10
    assert metric("api_request_seconds_count", route="/latest_prices") >= requests_before
    assert metric("api_store_seconds_count") > 0
    assert metric("api_cache_lookups_total", result="miss") > 0
    assert metric("api_newest_row_age_seconds", table="klines") > 86400
    requests.get(f"{base}/nowhere/else", timeout=5)
    assert metric("api_requests_total", route="unknown", status="404") > 0


def test_html_pages_need_no_external_resources(base):
    for path in ("/", "/docs"):
        page = requests.get(base + path, timeout=5)
        assert page.headers["Content-Type"].startswith("text/html")
        assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(""", page.text)
        assert "prefers-color-scheme" in page.text


def test_start_page_links_to_every_route_and_shows_freshness(base):
    start = requests.get(base, timeout=5).text
    document = requests.get(f"{base}/openapi.json", timeout=5).json()
    for path in document["paths"]:
        if path != "/" and "{" not in path:
            assert re.search(rf'href="{re.escape(path[1:])}["?]', start), path
    assert start.count(">late<") == 5
    links = set(re.findall(r'href="([a-z][^":]*)"', start))
    assert len(links) > 10
    for link in links:
        assert requests.get(f"{base}/{link.replace('&amp;', '&')}", timeout=10).status_code == 200, link
    docs = requests.get(f"{base}/docs", timeout=5).text
    for path, item in document["paths"].items():
        assert f'id="{path}"' in docs
        assert all(f"<code>{each['name']}</code>" in docs for each in item["get"]["parameters"])


def test_bytes_that_are_not_http_close_the_connection_and_affect_no_other_request(base, api):
    with socket.create_connection(("127.0.0.1", api.monitor_port), timeout=5) as connection:
        connection.sendall(b"\x16\x03\x01 no http\r\n\r\n")
        assert b"400" in connection.recv(1000)
    assert requests.get(f"{base}/health", timeout=5).status_code == 200
