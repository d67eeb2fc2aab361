"""Cassandra stops, starts or hangs while requests are made; and how the API itself starts and
stops."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.ports import free_ports
from pipeline import cassandra_session
from pipeline.cassandra_session import MAX_RECONNECT_PAUSE_SECONDS
from pipeline.settings import load
from tests.integration.api.conftest import api_environ
from tests.support.program import Program
from tests.support.restarts import start_cassandra, wait_for_sessions
from tests.support.waiting import seconds_passed, wait_until

PATHS = [
    "/latest_prices",
    "/latest_prices?symbol=TENUSDT",
    "/klines?symbol=CANUSDT",
    "/order_book",
    "/recent_trades",
    "/crypto_24h_stats?sort=volume",
    "/freshness",
    "/symbols",
    "/health",
    "/market_summary",
    "/latest_prices?symbol=SPIKEUSDT&points=10&from=0",
]


class Readers:
    """Sends requests from several threads while the context is open; counts the status codes."""

    def __init__(self, base: str, threads: int = 6) -> None:
        self._base = base
        self._stop = threading.Event()
        self.codes: Counter[int] = Counter()
        self.slowest_seconds = 0.0
        self.unexpected: list[tuple[str, int, str]] = []
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(threads)]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, number: int) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                started = time.monotonic()
                reply = session.get(self._base + PATHS[number % len(PATHS)], timeout=30)
                number += 1
                self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)
                self.codes[reply.status_code] += 1
                if reply.status_code != 200 and not is_unavailable(reply):
                    self.unexpected.append((reply.url, reply.status_code, reply.text))


def is_unavailable(reply: requests.Response) -> bool:
    return reply.status_code == 503 and int(reply.headers["Retry-After"]) > 0 and set(reply.json()) == {"error"}


def health_is(base: str, status: int) -> Callable[[], bool]:
    return lambda: requests.get(f"{base}/health", timeout=30).status_code == status


def test_requests_are_503_and_nothing_else_while_cassandra_is_stopped(store, writer, base):
    with Readers(base) as readers:
        wait_until(lambda: readers.codes[200] > 50 or readers.codes, 20, "replies")
        store.stop_service("cassandra")
        wait_until(health_is(base, 503), 20, "503 of /health")
        before = readers.codes[503]
        wait_until(lambda: readers.codes[503] > before + 50 or readers.codes, 20, "replies during the outage")
        start_cassandra(store, writer)
        wait_until(health_is(base, 200), 30, "200 of /health, without a restart of the API")
        before = readers.codes[200]
        wait_until(lambda: readers.codes[200] > before + 50 or readers.codes, 20, "replies after the outage")
    assert readers.unexpected == []
    assert set(readers.codes) == {200, 503}


def test_requests_are_503_in_time_while_cassandra_hangs_and_200_afterwards(store, writer, base):
    with Readers(base) as readers:
        wait_until(lambda: readers.codes[200] > 20 or readers.codes, 20, "replies")
        store.kill("cassandra", signal.SIGSTOP)
        try:
            wait_until(health_is(base, 503), 30, "503 of /health")
        finally:
            store.kill("cassandra", signal.SIGCONT)
            wait_for_sessions(writer)
        wait_until(health_is(base, 200), 30, "200 of /health")
    assert readers.unexpected == []
    assert readers.slowest_seconds < 12


def test_api_that_cassandra_did_not_let_in_for_a_while_is_let_in_later(store, writer, base):
    """As a node does that has just started and cannot read its logins yet."""
    may_log_in(store, "false")
    try:
        store.stop_service("cassandra")  # a connection stays as it is: only new ones are refused
        wait_until(health_is(base, 503), 20, "503 of /health")
        start_cassandra(store, writer)
        wait_until(seconds_passed(MAX_RECONNECT_PAUSE_SECONDS + 2), 10, "a refused attempt")
        assert health_is(base, 503)()
    finally:
        may_log_in(store, "true")
    wait_until(health_is(base, 200), 30, "200 of /health, without a restart of the API")


def may_log_in(store, answer):
    settings = load("local", environ=store.environ, dotenv="/dev/null")
    admin = cassandra_session.login(settings, settings.CASSANDRA_ADMIN_USERNAME, settings.CASSANDRA_ADMIN_PASSWORD)
    admin.execute(f"ALTER ROLE crypto_reader WITH LOGIN = {answer}")
    admin.cluster.shutdown()


@pytest.fixture
def alone(store, log):
    """`alone(CASSANDRA_PORT="1")`: another API with other settings."""
    programs = []

    def start(**more: str) -> tuple[Program, str]:
        port = free_ports(1)[0]
        programs.append(Program(["cassandra_api.py"], api_environ(store, port, **more), log, port))
        return programs[-1], f"http://127.0.0.1:{port}"

    yield start
    for program in programs:
        if program.process.poll() is None:
            program.kill()


def test_api_starts_without_cassandra_answers_503_and_stops_at_once(alone):
    program, base = alone(CASSANDRA_PORT=str(free_ports(1)[0]))
    wait_until(health_is(base, 503), 20, "503 of /health")
    assert requests.get(base, timeout=10).status_code == 200
    assert "api_requests_total" in requests.get(f"{base}/metrics", timeout=10).text
    assert requests.get(f"{base}/klines?limit=0", timeout=10).status_code == 400
    assert program.stop(5) == 0


def test_sigterm_lets_requests_finish_and_ends_within_five_seconds(alone):
    program, base = alone()
    wait_until(program.healthy, 30, "the API's health")
    with ThreadPoolExecutor(8) as pool:
        url = f"{base}/latest_prices?symbol=SPIKEUSDT&points=100&from=1774742400000&to="
        replies = [pool.submit(requests.get, f"{url}{1_774_764_000_000 + n}", timeout=10) for n in range(8)]
        started = time.monotonic()
        assert program.stop(5) == 0
        assert time.monotonic() - started < 5
        codes = [reply.result().status_code for reply in replies if reply.exception() is None]
    assert set(codes) <= {200}
    assert "Traceback" not in program.output()


def test_other_origins_may_read_only_when_they_are_listed(alone):
    program, base = alone(API_CORS_ORIGINS="https://a.example, https://b.example:8443")
    wait_until(program.healthy, 30, "the API's health")
    listed = requests.get(f"{base}/symbols", headers={"Origin": "https://b.example:8443"}, timeout=5)
    assert listed.headers["Access-Control-Allow-Origin"] == "https://b.example:8443"
    assert "Link" in listed.headers["Access-Control-Expose-Headers"]
    assert "Origin" in listed.headers["Vary"]
    assert "Accept-Encoding" in listed.headers["Vary"]
    other = requests.get(f"{base}/symbols", headers={"Origin": "https://c.example"}, timeout=5)
    assert "Access-Control-Allow-Origin" not in other.headers
    preflight = requests.options(
        f"{base}/symbols", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}, timeout=5
    )
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]


def test_hundred_concurrent_requests_for_the_same_rows_cause_one_read(metric, base):
    """Of a URL that no earlier test requested; 100 requests at once, within the 0.7 s in which its
    response is served from the cache."""
    before = metric("api_cache_lookups_total", memory="answers", result="miss")
    started = threading.Barrier(100)

    def ask(_: int) -> int:
        started.wait()
        return requests.get(f"{base}/latest_prices?symbol=SPIKEUSDT&limit=321", timeout=30).status_code

    with ThreadPoolExecutor(100) as pool:
        assert Counter(pool.map(ask, range(100))) == {200: 100}
    # A slow machine may take longer than 0.7 s.
    assert metric("api_cache_lookups_total", memory="answers", result="miss") - before <= 4
