"""How the producer starts when something is missing, and how it ends."""

import socket
import time
from collections import deque
from collections.abc import Callable

import pytest

from local.ports import free_ports
from pipeline.times import now_ms
from tests.support.producer_faults.clocked_exchange import served
from tests.support.producer_faults.world import World
from tests.support.program import Program
from tests.support.waiting import wait_until

MAX_STOP_SECONDS = 5.0


def test_stop_is_prompt_while_a_request_hangs(world: World) -> None:
    world.exchange.fault("timeout", seconds=30)
    world.start_producer()
    wait_until(lambda: hanging(world), 30, "a request that hangs")
    code, seconds = world.stop_producer()
    assert (code, seconds < MAX_STOP_SECONDS) == (0, True)


def hanging(world: World) -> bool:
    faults = world.exchange.faults()
    return any(fault["times_struck"] for fault in faults)


@pytest.mark.parametrize("how", ["unavailable", "frozen"])
def test_stop_is_prompt_while_postgresql_does_not_answer(world: World, how: str) -> None:
    world.start_producer(SYMBOLS="BTCUSDT")
    world.wait_for_rows("order_book")
    try:
        if how == "unavailable":
            world.kill_postgres()
            world.wait_until_logged("postgres_unavailable")
        else:
            world.freeze_postgres(True)
            wait_until(sends_nothing(world), 30, "a write that waits")
        code, seconds = world.stop_producer()
    finally:
        if how == "frozen":
            world.freeze_postgres(False)
        world.start_postgres()
    assert (code, seconds < MAX_STOP_SECONDS) == (0, True)


def sends_nothing(world: World) -> Callable[[], bool]:
    """The same number of requests in eight checks: it polls several times a second, unless it waits
    for PostgreSQL."""
    counts: deque[float] = deque(maxlen=8)

    def condition() -> bool:
        counts.append(world.producer.metric("producer_requests_total"))
        return len(counts) == counts.maxlen and len(set(counts)) == 1

    return condition


def test_unreachable_exchange_is_logged_in_one_line_and_retried_until_it_answers(world: World) -> None:
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    with world.running(SYMBOLS="BTCUSDT", BINANCE_BASE_URL=url) as producer:
        failures = {"kind": "listing", "error": "Unreachable"}
        wait_until(lambda: producer.metric("producer_failures_total", **failures) >= 2, 30, "two attempts")
        (line,) = world.logged("exchange_unavailable")
        assert line["error"].startswith(f"{url}/api/v3/exchangeInfo")
        assert "refused" in line["error"]
        with served(world.exchange.market, now_ms, port):
            world.wait_for_rows("order_book")
            world.wait_until_logged("exchange_recovered")


def test_taken_metrics_port_is_one_line_and_exit_code_2(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        producer = world.start_producer(METRICS_PORT=port)
        assert producer.process.wait(10) == 2
    assert world.output().startswith(f"producer: METRICS_PORT={port}: cannot listen on")
    assert world.output().count("\n") == 1


def test_start_names_the_exchange_and_the_source_of_the_data(world: World) -> None:
    with world.running() as producer:
        world.wait_for_rows("order_book", 2)
        (started,), (named,) = world.logged("producer_started"), world.logged("exchange")
        assert started["exchange"] == named["url"] == world.exchange.url
        assert named["source"] == world.value("SELECT name FROM data_source") == "simulator: random market, seed 7"
        figures(producer)


def figures(producer: Program) -> None:
    """Every metric that the README promises has a value by now."""
    wait_until(lambda: producer.metric("producer_lag_seconds_count") > 0, 30, "a lag")
    for kind in ("listing", "price", "tracked_price", "stats", "order_book", "trades", "klines"):
        wait_until(
            lambda kind=kind: time.time() - producer.metric("producer_last_success_timestamp_seconds", kind=kind) < 60,
            10,
            f"a success of {kind}",
        )
    for table in ("latest_prices", "crypto_24h_stats", "order_book", "recent_trades", "klines"):
        assert producer.metric("producer_rows_changed_total", table=table) > 0
    assert producer.metric("producer_requests_total", endpoint="/api/v3/depth", status="200") > 0
    assert 0 < producer.metric("producer_used_weight") < producer.metric("producer_weight_budget")
    assert producer.metric("producer_weight_budget") == producer.metric("producer_weight_limit") / 2
