"""The condition of every alarm holds when the part it watches is stopped or broken, and no longer
once that is well again: the alarm's own query to a real Prometheus, its own threshold. How long it
must hold: test_rules.py."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest
import requests
from kafka import KafkaProducer

from tests.support.grafana.alerts import expression, holds
from tests.support.grafana.files import alert_rules
from tests.support.grafana.server import Prometheus
from tests.support.grafana.whole import Whole
from tests.support.waiting import wait_until

RULES = {rule["uid"]: rule for rule in alert_rules()}
SEGMENTS = 40  # of 16 MiB of WAL


def alarming(prometheus: Prometheus, uid: str, **labels: str) -> bool:
    return holds(RULES[uid], prometheus.values(expression(RULES[uid]), **labels))


def wait_for(alarm: bool, prometheus: Prometheus, uid: str, seconds: float = 90, **labels: str) -> None:
    """Until the condition of the alarm holds, or does not."""

    def check() -> object:
        return alarming(prometheus, uid, **labels) is alarm or prometheus.values(expression(RULES[uid]))

    wait_until(check, seconds, f"{uid} {'alarms' if alarm else 'is over'}")


@contextmanager
def stopped(whole: Whole, service: str) -> Iterator[None]:
    whole.stack.stop_service(service)
    try:
        yield
    finally:
        whole.stack.start_service(service)
        whole.stack.wait_ready(service)


@pytest.fixture(scope="module", autouse=True)
def nothing_alarms(whole: Whole) -> None:
    """Before anything is stopped. The recording has one order book only, so that table is stale
    from the first."""
    if whole.prometheus:
        for uid in set(RULES) - {"stale-table"}:
            wait_for(False, whole.prometheus, uid)


def test_stale_table_follows_the_producer(whole: Whole, prometheus: Prometheus) -> None:
    wait_for(False, prometheus, "stale-table", table="latest_prices")
    with stopped(whole, "producer"):
        wait_for(True, prometheus, "stale-table", table="latest_prices")
    wait_for(False, prometheus, "stale-table", table="latest_prices")


def test_growing_lag_follows_the_consumer(whole: Whole, prometheus: Prometheus) -> None:
    with stopped(whole, "consumer"):
        wait_for(True, prometheus, "consumer-lag-growing")
    wait_for(False, prometheus, "consumer-lag-growing")


def test_connector_and_slot_follow_kafka_connect(whole: Whole, prometheus: Prometheus) -> None:
    with stopped(whole, "connect"):
        wait_for(True, prometheus, "connector-not-running")
        switch_wal(whole)
        wait_for(True, prometheus, "slot-retains-wal")
    wait_for(False, prometheus, "connector-not-running")
    wait_for(False, prometheus, "slot-retains-wal")


def switch_wal(whole: Whole) -> None:
    """Begin new WAL segments, which count as retained as a whole."""
    environ = whole.stack.environ
    connection = psycopg2.connect(
        host=environ["PGHOST"],
        port=environ["PGPORT"],
        dbname="market",
        user="postgres",
        password=environ.get("POSTGRES_PASSWORD", "postgres"),
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS filler (number int)")
        for number in range(SEGMENTS):
            cursor.execute("INSERT INTO filler VALUES (%s)", (number,))
            cursor.execute("SELECT pg_switch_wal()")
    connection.close()


def test_weight_follows_what_the_exchange_reports(whole: Whole, prometheus: Prometheus) -> None:
    faults = f"http://127.0.0.1:{whole.stack.ports.simulator}/sim/faults"
    requests.post(faults, json={"kind": "used_weight", "weight": 5700}, timeout=5).raise_for_status()
    try:
        wait_for(True, prometheus, "exchange-weight")
    finally:
        requests.delete(faults, timeout=5).raise_for_status()
    wait_for(False, prometheus, "exchange-weight")


def test_api_errors_follow_cassandra(whole: Whole, prometheus: Prometheus) -> None:
    with requests.Session() as session:

        def ask_and_look(alarm: bool, times: int) -> object:
            for _ in range(times):
                session.get(f"{whole.api}/crypto_24h_stats", params={"limit": 1}, timeout=20)
            return alarming(prometheus, "api-errors") is alarm or prometheus.values(expression(RULES["api-errors"]))

        with stopped(whole, "cassandra"):
            wait_until(lambda: ask_and_look(True, times=1), 120, "api-errors alarms")
        # Errors are a share of five minutes: many good answers end it sooner.
        wait_until(lambda: ask_and_look(False, times=50), 330, "api-errors is over")


def test_dead_letter_raises_its_alarm(whole: Whole, prometheus: Prometheus) -> None:
    """Last, for it stays for 15 minutes; that it ends is played in test_rules.py."""
    sender = KafkaProducer(bootstrap_servers=whole.stack.environ["KAFKA_BOOTSTRAP_SERVERS"])
    sender.send("crypto.public.latest_prices", b"no JSON").get(10)
    sender.close()
    wait_for(True, prometheus, "dead-letters")
