"""consumer_to_grafana.py between real Kafka, Debezium and PostgreSQL and Grafana's end. Each fault
ends with the newest values equal to PostgreSQL's current rows."""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from kafka import KafkaProducer
from psycopg2.extensions import connection as Connection

from local.stack import Stack
from pipeline.live.buffers import MAX_TRADE_AGE_MS
from pipeline.live.channels import channel
from pipeline.settings import Settings
from tests.support.live.grafana_server import GrafanaServer
from tests.support.program import Program
from tests.support.waiting import wait_until

SYMBOLS = ("LIVEUSDT", "ÆÐÞUSDT", "币安人生USDT")
UNTRACKED = "OTHERUSDT"
CONNECTED_SECONDS = 60
NUMBERS = itertools.count(1)

Start = Callable[..., Program]


@contextmanager
def pusher(start: Start, grafana: GrafanaServer, group: str) -> Iterator[Program]:
    """A running pusher that reads from now on."""
    environ = {"GRAFANA_URL": grafana.url, "LIVE_GROUP": group, "SYMBOLS": ",".join(SYMBOLS)}
    with start("consumer_to_grafana.py", **environ) as program:
        wait_until(lambda: is_ready(program), CONNECTED_SECONDS, "the pusher connected")
        yield program
        assert grafana.received.complaints == []


def is_ready(program: Program) -> object:
    """For wait_until: Grafana takes frames, and it reads from the end of the topics on."""
    healthy = program.healthy()
    return healthy if healthy is not True else requests.get(health_of(program), timeout=2).json()["ready"]


def health_of(program: Program) -> str:
    return f"http://127.0.0.1:{program.monitor_port}/health"


def resident_kib(program: Program) -> int:
    status = Path(f"/proc/{program.process.pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


@pytest.fixture(autouse=True)
def trade_day(postgres: Connection) -> None:
    with postgres.cursor() as cursor:
        cursor.execute("SELECT create_trade_day(current_date), create_trade_day(current_date + 1)")


def write(postgres: Connection, symbol: str) -> None:
    """Changes the symbol's price, book and open candle, and adds a trade."""
    number = next(NUMBERS)
    price = Decimal(random.randint(1, 10**7)) / 100
    book = [[[str(price - 1), "1"]], [[str(price + Decimal("0.01")), "2"]]]
    candle = (symbol, price, price + 1, price - 1, price, number)
    with postgres.cursor() as cursor:
        cursor.execute(
            "INSERT INTO latest_prices VALUES (%s, %s, now()) ON CONFLICT (symbol) "
            "DO UPDATE SET price = excluded.price, updated_at = now()",
            (symbol, price),
        )
        cursor.execute(
            "INSERT INTO order_book VALUES (%s, %s, %s, %s, now()) ON CONFLICT (symbol) DO UPDATE "
            "SET last_update_id = excluded.last_update_id, bids = excluded.bids, asks = excluded.asks",
            (symbol, number, json.dumps(book[0]), json.dumps(book[1])),
        )
        cursor.execute(
            "INSERT INTO recent_trades VALUES (%s, %s, now(), %s, 1, 1, %s, 1, 1)",
            (symbol, number, price, number % 2 == 0),
        )
        cursor.execute(
            "INSERT INTO klines VALUES (%s, '1m', '2026-11-26', %s, %s, %s, %s, %s, now(), 1, 1, 1, 1, false, now())"
            " ON CONFLICT (symbol, interval, open_time) DO UPDATE SET open_price = excluded.open_price,"
            " high_price = excluded.high_price, low_price = excluded.low_price, close_price = excluded.close_price,"
            " volume = excluded.volume, updated_at = now()",
            candle,
        )


def current(postgres: Connection, query: str, symbol: str) -> tuple[Any, ...]:
    with postgres.cursor() as cursor:
        cursor.execute(query, (symbol,))
        row = cursor.fetchone()
    assert row is not None, (query, symbol)
    return tuple(value if isinstance(value, str) else float(value) for value in row)


QUERIES = {
    "price": (("price",), "SELECT price FROM latest_prices WHERE symbol = %s"),
    "book": (("bid", "ask"), "SELECT (bids->0->>0)::numeric, (asks->0->>0)::numeric FROM order_book WHERE symbol = %s"),
    "trades": (
        ("price", "quantity", "side"),
        "SELECT price, quantity, CASE WHEN is_buyer_maker THEN 'sold' ELSE 'bought' END FROM recent_trades"
        " WHERE symbol = %s ORDER BY trade_id DESC LIMIT 1",
    ),
    "candle": (
        ("open", "high", "low", "close", "volume", "trades"),
        "SELECT open_price, high_price, low_price, close_price, volume, number_of_trades::numeric FROM klines"
        " WHERE symbol = %s AND interval = '1m' ORDER BY open_time DESC LIMIT 1",
    ),
}


def differences(postgres: Connection, grafana: GrafanaServer, symbols: tuple[str, ...] = SYMBOLS) -> object:
    """For wait_until: True when the newest values are PostgreSQL's current ones."""
    found = {}
    for symbol in symbols:
        for kind, (fields, query) in QUERIES.items():
            name, wanted = channel(kind, symbol), current(postgres, query, symbol)
            shown = tuple(grafana.received.value(name, field) for field in fields)
            if shown != wanted:
                found[name] = shown, wanted
        shown = (grafana.received.value("prices", "price", symbol),)
        if shown != current(postgres, QUERIES["price"][1], symbol):
            found["prices", symbol] = shown
    return found or True


def wait_equal(postgres: Connection, grafana: GrafanaServer, seconds: float = 60) -> None:
    """A trade that is on its way for more than ten seconds is not pushed. So where only trades
    differ for so long, as after an outage on a busy machine, there are new ones."""
    written_at = time.monotonic()

    def equal() -> object:
        nonlocal written_at
        found = differences(postgres, grafana)
        only_trades = isinstance(found, dict) and all("trades" in name for name in found)
        if only_trades and time.monotonic() - written_at > MAX_TRADE_AGE_MS / 1000:
            written_at = time.monotonic()
            for symbol in SYMBOLS:
                write(postgres, symbol)
        return found

    wait_until(equal, seconds, "the newest values equal PostgreSQL's rows")


@contextmanager
def load(postgres: Connection) -> Iterator[None]:
    """Changes of all symbols, about 100 per second."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.04):
            write(postgres, random.choice(SYMBOLS))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_newest_values_are_postgresqls_rows_and_nothing_else_comes(
    start: Start, grafana: GrafanaServer, postgres: Connection
) -> None:
    for symbol in SYMBOLS:
        write(postgres, symbol)  # before the start: late
    with pusher(start, grafana, "live-values") as program:
        time.sleep(2)
        assert not grafana.received.newest, "it starts at the end of the topics"
        with load(postgres):
            write(postgres, UNTRACKED)
            time.sleep(5)
        for symbol in SYMBOLS:
            write(postgres, symbol)
        wait_equal(postgres, grafana)
        assert not any("OTHER" in name or label == UNTRACKED for name, label in grafana.received.newest)
        assert max(map(len, frames_per_second(grafana).values())) > 0
        assert program.metric("live_points_dropped_total", reason="unusable") == 0
        assert program.metric("live_delay_seconds_count") > 20
        log = program.output()
    assert not [key for key in log.split() if "glsa_" in key]
    assert grafana.accounts.tokens == {}, "the token is removed at the end"


def frames_per_second(grafana: GrafanaServer) -> dict[str, list[int]]:
    """How many frames each channel got in each second; at most 6, of which one is from the second
    before."""
    found: dict[str, list[int]] = {}
    for name, times in grafana.received.frames.items():
        seconds = [sum(1 for each in times if int(each) == second) for second in {int(each) for each in times}]
        assert max(seconds) <= 6, name
        found[name] = seconds
    return found


def test_record_that_is_no_change_is_left_out_and_counted(
    start: Start, grafana: GrafanaServer, postgres: Connection, settings: Settings
) -> None:
    with pusher(start, grafana, "live-poison") as program:
        sender = KafkaProducer(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS))
        key = json.dumps({"symbol": SYMBOLS[0]}).encode()
        nan = {
            "op": "u",
            "after": {"symbol": SYMBOLS[0], "price": "NaN"},
            "source": {"ts_us": 1, "table": "latest_prices"},
        }
        for value in (b"not JSON", b"{}", json.dumps(nan).encode(), None):
            sender.send("crypto.public.latest_prices", value, key=key).get(10)
        sender.send("crypto.public.latest_prices", b"{}", key=b"\xff").get(10)
        sender.close()
        wait_until(
            lambda: program.metric("live_points_dropped_total", reason="unusable") == 3 or program.output()[-500:],
            30,
            "three unusable records",
        )
        for symbol in SYMBOLS:
            write(postgres, symbol)
        wait_equal(postgres, grafana)


def test_kafka_restarted_under_load(start: Start, grafana: GrafanaServer, postgres: Connection, stack: Stack) -> None:
    with pusher(start, grafana, "live-kafka") as program:
        for symbol in SYMBOLS:
            write(postgres, symbol)
        wait_equal(postgres, grafana)
        with load(postgres):
            stack.stop_service("kafka")
            time.sleep(5)
            stack.start_service("kafka")
            stack.wait_ready("kafka")
            time.sleep(2)
        wait_equal(postgres, grafana, 120)
        assert program.output().count("kafka_unavailable") <= 1


def test_grafana_restarted_hung_and_refusing_under_load(
    start: Start, grafana: GrafanaServer, postgres: Connection
) -> None:
    with pusher(start, grafana, "live-grafana") as program:
        with load(postgres):
            for symbol in SYMBOLS:
                write(postgres, symbol)
            wait_until(lambda: len(grafana.received.newest) > 10, 30, "frames")
            before = resident_kib(program)
            grafana.stop()
            time.sleep(4)
            grafana.start()
            wait_until(lambda: program.metric("live_connected") == 1, 30, "connected again")
            grafana.hung.set()
            time.sleep(4)
            grafana.hung.clear()
            grafana.refuse_with = 403
            grafana.close_all()
            time.sleep(4)
            grafana.refuse_with = None
            grafana.accounts.lose()
            wait_until(lambda: program.metric("live_connected") == 1, 30, "connected again")
        wait_equal(postgres, grafana)
        assert resident_kib(program) - before < 10 * 1024
        assert program.metric("live_connections_total") >= 3


def test_killed_pusher_starts_at_the_end(start: Start, grafana: GrafanaServer, postgres: Connection) -> None:
    with pusher(start, grafana, "live-killed") as program, load(postgres):
        time.sleep(2)
        program.kill()
    with load(postgres):
        time.sleep(2)
    grafana.received.newest.clear()
    with pusher(start, grafana, "live-killed"):
        time.sleep(2)
        assert not grafana.received.newest, "what was before is late"
        for symbol in SYMBOLS:
            write(postgres, symbol)
        wait_equal(postgres, grafana)
