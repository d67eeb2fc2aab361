"""Two APIs over the same rows, one with Redis and one without: equal answers, byte for byte; and
what the one with Redis answers while a store is unavailable."""

import signal
import time
from collections.abc import Callable, Iterator
from statistics import median

import pytest
import requests

from local.ports import free_ports
from local.stack import Stack
from pipeline.tables import NUMBER, STATS
from tests.support.program import Program
from tests.support.redis_server import RedisServer
from tests.support.restarts import start_cassandra
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("consumer", "to_redis")

NUMBERS = (
    "1",
    "0.00000001",
    "95423.61",
    "0.10",
    "12345678901234.123456789",
    "1e-12",
    "0",
    "-3.5",
    "100000000000000000",
)
SYMBOLS = ("APIAUSDT", "APIBUSDT", "APICBTC", "APIDEUR", "API币USDT", "APIEUNKNOWN")
STATS_COLUMNS = [name for name, kind in STATS.columns.items() if kind == NUMBER]
FIELDS = "symbol,price,price_text,updated_at"
PATHS = [
    "/latest_prices",
    "/latest_prices?limit=3",
    "/latest_prices?limit=5000",
    "/latest_prices?quote_asset=USDT",
    "/latest_prices?quote_asset=BTC&limit=5000",
    "/latest_prices?tracked=true",
    "/latest_prices?tracked=false&limit=5000",
    f"/latest_prices?fields={FIELDS}&limit=5000",
    "/crypto_24h_stats",
    "/crypto_24h_stats?limit=5000",
    "/crypto_24h_stats?limit=5000&fields=symbol,last_price_text,volume_text,trade_count,open_time",
    "/crypto_24h_stats?sort=trade_count&order=asc",
    "/crypto_24h_stats?sort=quote_volume&limit=4&tracked=true",
    "/crypto_24h_stats?sort=last_price&symbol=APIAUSDT,APICBTC,NONEUSDT",
    *(f"/crypto_24h_stats?sort={name}&order={order}&limit=5000" for name in STATS_COLUMNS for order in ("asc", "desc")),
    "/market_summary",
    "/market_summary?quote_asset=USDT",
    "/symbols",
    "/symbols?tracked=true",
    "/symbols?tracked=false&quote_asset=BTC",
    "/symbols?symbol=APIAUSDT,API币USDT&fields=symbol,tick_size,tick_size_text,status",
]


@pytest.fixture(scope="module")
def rows(postgres) -> None:
    """Numbers and names of every kind; some symbols without price, statistics, steps or books."""
    with postgres.cursor() as cursor:
        for place, symbol in enumerate(SYMBOLS):
            numbers = [NUMBERS[(place + n) % len(NUMBERS)] for n in range(len(STATS_COLUMNS))]
            if place != 4:
                cursor.execute("INSERT INTO latest_prices VALUES (%s, %s)", (symbol, NUMBERS[place]))
            if place != 3:
                cursor.execute(
                    f"INSERT INTO crypto_24h_stats (symbol, {', '.join(STATS_COLUMNS)}, trade_count, open_time,"
                    f" close_time) VALUES (%s, {', '.join(['%s'] * 11)}, %s, now() - interval '1 day', now())",
                    (symbol, *numbers, place * 1000),
                )
            if place < 3:
                cursor.execute("INSERT INTO order_book VALUES (%s, 1, '[[\"1\", \"2\"]]', '[]')", (symbol,))
            cursor.execute(
                "INSERT INTO instruments (symbol, base_asset, quote_asset, tick_size, step_size, status)"
                " VALUES (%s, 'API', 'X', %s, %s, 'TRADING')",
                (symbol, "0.01" if place else None, "1" if place != 2 else None),
            )


@pytest.fixture(scope="module")
def apis(start: Callable[..., Program], server: RedisServer, rows) -> Iterator[dict[str, str]]:
    """The base URLs, by the store that each answers from."""
    ports = free_ports(2)
    environments = {"redis": server.environ, "cassandra": {}}
    programs = {
        store: start("cassandra_api.py", API_PORT=str(port), **environ)
        for port, (store, environ) in zip(ports, environments.items())
    }
    for port, program in zip(ports, programs.values()):
        program.monitor_port = port
        wait_until(program.healthy, 30, "the API's health")
    yield {store: f"http://127.0.0.1:{port}" for port, store in zip(ports, programs)}
    for program in programs.values():
        program.stop()


def ask(base: str, path: str) -> requests.Response:
    return requests.get(base + path, timeout=15)


def answered_from(apis: dict[str, str], path: str = "/market_summary") -> str:
    reply = ask(apis["redis"], path)
    return reply.headers.get("X-Answered-From", f"{reply.status_code} {reply.text}")


def wait_for_store(apis: dict[str, str], store: str, seconds: float = 30) -> None:
    wait_until(lambda: answered_from(apis) == store or answered_from(apis), seconds, f"an answer from {store}")


@pytest.mark.parametrize("path", PATHS)
def test_answers_from_both_stores_are_equal_byte_for_byte(apis, path):
    wait_for_store(apis, "redis", 60)

    def equal() -> object:
        from_redis, from_cassandra = ask(apis["redis"], path), ask(apis["cassandra"], path)
        stores = [reply.headers.get("X-Answered-From") for reply in (from_redis, from_cassandra)]
        assert (from_redis.status_code, from_cassandra.status_code) == (200, 200), from_redis.text
        same = from_redis.content == from_cassandra.content and stores == ["redis", "cassandra"]
        return same or (stores, from_redis.text[:2000], from_cassandra.text[:2000])

    wait_until(equal, 20, "equal answers")
    assert "symbols" in path or len(ask(apis["redis"], path).content) > 5


def test_health_and_freshness_tell_the_stores_apart(apis):
    wait_for_store(apis, "redis", 60)
    assert ask(apis["redis"], "/health").json() == {"status": "ok", "cassandra": "ok", "redis": "ok"}
    assert ask(apis["cassandra"], "/health").json()["redis"] == "off"
    ages = {row["table"]: row["redis_age_seconds"] for row in ask(apis["redis"], "/freshness").json()}
    assert ages["latest_prices"] is not None
    assert ages["klines"] is None
    assert {row["redis_age_seconds"] for row in ask(apis["cassandra"], "/freshness").json()} == {None}


def test_hanging_redis_slows_no_request_and_cassandra_answers(apis, server):
    """Compared with an API that never asks Redis: a busy machine slows both."""
    wait_for_store(apis, "redis", 60)
    time.sleep(1)
    server.hang()
    took: dict[str, list[float]] = {"redis": [], "cassandra": []}
    try:
        for number in range(60):
            for store, base in apis.items():
                began = time.monotonic()
                assert ask(base, f"/latest_prices?limit={100 + number}").status_code == 200
                took[store].append(time.monotonic() - began)
            time.sleep(0.05)
        assert answered_from(apis) == "cassandra"
        assert ask(apis["redis"], "/health").json() == {"status": "ok", "cassandra": "ok", "redis": "unavailable"}
    finally:
        server.go_on()
    assert max(took["redis"]) < 1
    assert median(took["redis"]) < 3 * median(took["cassandra"])
    wait_for_store(apis, "redis")


def test_emptied_redis_is_not_taken_for_an_empty_market(apis, server):
    wait_for_store(apis, "redis", 60)
    symbols = len(ask(apis["redis"], "/symbols").json())
    server.client.flushall()
    for _ in range(30):
        assert len(ask(apis["redis"], "/symbols").json()) == symbols
        time.sleep(0.1)
    wait_for_store(apis, "redis", 60)


def test_stopped_consumer_is_noticed_by_the_watermark(apis, to_redis):
    wait_for_store(apis, "redis", 60)
    to_redis().process.send_signal(signal.SIGSTOP)
    try:
        wait_for_store(apis, "cassandra", 6)
        assert ask(apis["redis"], "/health").json()["redis"] == "behind"
    finally:
        to_redis().process.send_signal(signal.SIGCONT)
    wait_for_store(apis, "redis", 60)


def test_current_state_is_answered_while_cassandra_is_unavailable(apis, stack: Stack, reader):
    wait_for_store(apis, "redis", 60)
    stack.stop_service("cassandra")
    try:
        wait_until(lambda: ask(apis["redis"], "/health").status_code == 503, 30, "503 of /health")
        assert "served from Redis" in ask(apis["redis"], "/health").json()["error"]
        for path in ("/latest_prices", "/crypto_24h_stats?sort=volume", "/market_summary", "/symbols"):
            reply = ask(apis["redis"], f"{path}{'&' if '?' in path else '?'}quote_asset=USDT")
            assert (reply.status_code, reply.headers.get("X-Answered-From")) == (200, "redis"), reply.text
            assert len(reply.json()) > 0
        freshness = {row["table"]: row for row in ask(apis["redis"], "/freshness").json()}
        assert freshness["latest_prices"]["late"]
        assert freshness["latest_prices"]["redis_age_seconds"] is not None
        assert ask(apis["redis"], "/latest_prices?symbol=APIAUSDT").status_code == 503
        assert ask(apis["cassandra"], "/market_summary").status_code == 503
    finally:
        start_cassandra(stack, reader)
    wait_until(lambda: ask(apis["redis"], "/health").status_code == 200, 60, "200 of /health")
