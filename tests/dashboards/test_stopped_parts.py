"""The condition of every alert holds when the part it watches is stopped or broken, and no longer
holds once the part has recovered: the alert's own query, sent to a real Prometheus, and its own
threshold. test_rules.py tests how long the condition must hold."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest
import requests
from kafka import KafkaProducer

from tests.support.grafana.alerts import expression, holds
from tests.support.grafana.files import alert_rules
from tests.support.grafana.monitored_stack import MonitoredStack
from tests.support.grafana.server import Prometheus
from tests.support.waiting import wait_until

RULES = {rule["uid"]: rule for rule in alert_rules()}
WAL_SEGMENTS = 40  # of 16 MiB each


def firing(prometheus: Prometheus, uid: str, **labels: str) -> bool:
    return holds(RULES[uid], prometheus.values(expression(RULES[uid]), **labels))


def wait_for(fires: bool, prometheus: Prometheus, uid: str, seconds: float = 90, **labels: str) -> None:
    """Wait until the condition of the alert holds, or no longer holds."""

    def check() -> object:
        return firing(prometheus, uid, **labels) is fires or prometheus.values(expression(RULES[uid]))

    wait_until(check, seconds, f"{uid} {'fires' if fires else 'resolves'}")


@contextmanager
def stopped(monitored: MonitoredStack, service: str) -> Iterator[None]:
    monitored.stack.stop_service(service)
    try:
        yield
    finally:
        monitored.stack.start_service(service)
        monitored.stack.wait_ready(service)


@pytest.fixture(scope="module", autouse=True)
def nothing_fires(monitored: MonitoredStack) -> None:
    """Before anything is stopped. The recording has only one order book, so that table is stale
    from the start."""
    if monitored.prometheus:
        for uid in set(RULES) - {"stale-table"}:
            wait_for(False, monitored.prometheus, uid)


def test_stale_table_follows_the_producer(monitored: MonitoredStack, prometheus: Prometheus) -> None:
    wait_for(False, prometheus, "stale-table", table="latest_prices")
    with stopped(monitored, "producer"):
        wait_for(True, prometheus, "stale-table", table="latest_prices")
    wait_for(False, prometheus, "stale-table", table="latest_prices")


def test_growing_lag_follows_the_consumer(monitored: MonitoredStack, prometheus: Prometheus) -> None:
    with stopped(monitored, "consumer"):
        wait_for(True, prometheus, "consumer-lag-growing")
    wait_for(False, prometheus, "consumer-lag-growing")


def test_connector_and_slot_follow_kafka_connect(monitored: MonitoredStack, prometheus: Prometheus) -> None:
    with stopped(monitored, "connect"):
        wait_for(True, prometheus, "connector-not-running")
        switch_wal(monitored)
        wait_for(True, prometheus, "slot-retains-wal")
    wait_for(False, prometheus, "connector-not-running")
    wait_for(False, prometheus, "slot-retains-wal")


def switch_wal(monitored: MonitoredStack) -> None:
    """Begin new WAL segments; a retained segment counts with its full size."""
    environ = monitored.stack.environ
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
        for number in range(WAL_SEGMENTS):
            cursor.execute("INSERT INTO filler VALUES (%s)", (number,))
            cursor.execute("SELECT pg_switch_wal()")
    connection.close()


def test_weight_follows_what_the_exchange_reports(monitored: MonitoredStack, prometheus: Prometheus) -> None:
    faults = f"http://127.0.0.1:{monitored.stack.ports.simulator}/sim/faults"
    requests.post(faults, json={"kind": "used_weight", "weight": 5700}, timeout=5).raise_for_status()
    try:
        wait_for(True, prometheus, "exchange-weight")
    finally:
        requests.delete(faults, timeout=5).raise_for_status()
    wait_for(False, prometheus, "exchange-weight")


def test_api_errors_follow_cassandra(monitored: MonitoredStack, prometheus: Prometheus) -> None:
    with requests.Session() as session:

        def request_and_check(fires: bool, times: int) -> object:
            for _ in range(times):
                session.get(f"{monitored.api}/klines", params={"symbol": "ALGOUSDT", "limit": 1}, timeout=20)
            return firing(prometheus, "api-errors") is fires or prometheus.values(expression(RULES["api-errors"]))

        with stopped(monitored, "cassandra"):
            # The share of errors covers five minutes, with all requests of the tests before.
            wait_until(lambda: request_and_check(True, times=10), 120, "api-errors fires")
        # Many successful responses resolve it sooner.
        wait_until(lambda: request_and_check(False, times=300), 330, "api-errors resolves")


def test_dead_letter_fires_its_alert(monitored: MonitoredStack, prometheus: Prometheus) -> None:
    """The last test: the alert stays for 15 minutes. test_rules.py tests that it resolves."""
    sender = KafkaProducer(bootstrap_servers=monitored.stack.environ["KAFKA_BOOTSTRAP_SERVERS"])
    sender.send("crypto.public.latest_prices", b"not JSON").get(10)
    sender.close()
    wait_for(True, prometheus, "dead-letters")
