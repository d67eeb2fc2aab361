"""The guard against a real Connect and PostgreSQL: what is broken is repaired, and rows written
meanwhile arrive."""

from collections.abc import Callable

import pytest
import requests
from cassandra.cluster import Session

from debezium.register import CONNECTOR
from debezium.slot import SLOT
from pipeline.schema import apply_postgres
from pipeline.settings import Settings
from tests.support.program import Program
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("consumer")


@pytest.fixture
def connect(settings: Settings) -> Callable[..., requests.Response]:
    """Calls the connector's REST address: `connect("GET", "/status")`."""

    def call(method: str, path: str) -> requests.Response:
        return requests.request(method, f"{settings.CONNECT_URL}/connectors/{CONNECTOR}{path}", timeout=10)

    return call


def state(connect: Callable[..., requests.Response]) -> list[str]:
    body = connect("GET", "/status").json()
    return [body["connector"]["state"], *(task["state"] for task in body["tasks"])]


def insert_price(postgres, symbol: str) -> None:
    with postgres.cursor() as cursor:
        cursor.execute("INSERT INTO latest_prices VALUES (%s, 1)", (symbol,))


def arrived(reader: Session, symbol: str) -> Callable[[], object]:
    def check() -> object:
        row = reader.execute("SELECT price FROM latest_prices WHERE symbol = %s", (symbol,)).one()
        return row == {"price": 1.0} or row

    return check


def test_healthy_capture_is_left_alone(start: Callable[..., Program]) -> None:
    with start("-m", "debezium.guard") as guard:
        wait_until(guard.healthy, 60, "the guard's health")
        assert guard.metric("guard_connector_running") == 1
        assert guard.metric("guard_slot_usable") == 1
        assert guard.metric("guard_remedies_total") == 0
        assert guard.metric("guard_heartbeat_age_seconds") < 30
        assert guard.metric("guard_capture_problems") == 0


def test_absent_connector_is_registered(start: Callable[..., Program], connect, postgres, reader) -> None:
    connect("DELETE", "")
    insert_price(postgres, "ABSENTUSDT")
    with start("-m", "debezium.guard") as guard:
        wait_until(guard.healthy, 60, "the guard's health")
        assert guard.metric("guard_remedies_total", remedy="register") == 1
        wait_until(arrived(reader, "ABSENTUSDT"), 60, "the row that was written meanwhile")


def stop_connector(connect) -> None:
    """So that nothing writes a heartbeat meanwhile."""
    connect("PUT", "/stop")
    wait_until(lambda: state(connect) == ["STOPPED"] or state(connect), 60, "a stopped connector")


def test_failed_task_is_restarted_until_it_runs(
    start: Callable[..., Program], connect, postgres, reader, settings
) -> None:
    """Debezium looks for its publication when it starts, and fails without one."""
    stop_connector(connect)
    with postgres.cursor() as cursor:
        cursor.execute("DROP PUBLICATION crypto_publication")
    connect("PUT", "/resume")
    wait_until(lambda: "FAILED" in state(connect) or state(connect), 60, "a failed task")
    with start("-m", "debezium.guard") as guard:
        wait_until(lambda: guard.metric("guard_remedies_total", remedy="restart_failed") >= 1, 60, "a restart")
        apply_postgres(settings, 10)
        insert_price(postgres, "FAILEDUSDT")
        wait_until(arrived(reader, "FAILEDUSDT"), 120, "the row after the restart")
        wait_until(guard.healthy, 60, "the guard's health")


def test_slot_that_cannot_be_decoded_is_rebuilt(
    start: Callable[..., Program], connect, postgres, reader, settings
) -> None:
    """A row changed while the publication was missing: PostgreSQL refuses to decode that change
    forever."""
    stop_connector(connect)
    with postgres.cursor() as cursor:
        cursor.execute("DROP PUBLICATION crypto_publication")
    insert_price(postgres, "GAPUSDT")
    apply_postgres(settings, 10)
    insert_price(postgres, "AFTERGAPUSDT")
    connect("PUT", "/resume")
    with start("-m", "debezium.guard") as guard:
        wait_until(arrived(reader, "AFTERGAPUSDT"), 180, "the row after the gap")
        wait_until(arrived(reader, "GAPUSDT"), 10, "the row of the gap")
        wait_until(guard.healthy, 60, "the guard's health")
        assert "decoding_error=" in guard.output()


def wal_status_after_more_wal(cursor) -> str:
    cursor.execute("SELECT pg_logical_emit_message(false, 'filler', repeat('x', 1000000))")
    cursor.execute("SELECT pg_switch_wal()")
    cursor.execute("CHECKPOINT")
    cursor.execute("SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", (SLOT,))
    return cursor.fetchone()[0]


def test_lost_slot_is_rebuilt_with_a_snapshot(start: Callable[..., Program], connect, postgres, reader) -> None:
    """PostgreSQL invalidates the slot because it holds back more WAL than is allowed; rows written
    since then are missing from the WAL and arrive through a snapshot."""
    stop_connector(connect)
    insert_price(postgres, "LOSTUSDT")
    with postgres.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        cursor.execute("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: wal_status_after_more_wal(cursor) == "lost", 60, "a lost slot")
        finally:
            cursor.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            cursor.execute("SELECT pg_reload_conf()")
    with start("-m", "debezium.guard") as guard:
        wait_until(arrived(reader, "LOSTUSDT"), 120, "the row, by snapshot")
        wait_until(guard.healthy, 60, "the guard's health")
        assert guard.metric("guard_remedies_total", remedy="rebuild_slot") == 1
        assert "slot_rebuilt" in guard.output()
        insert_price(postgres, "REBUILTUSDT")
        wait_until(arrived(reader, "REBUILTUSDT"), 60, "a streamed row after the rebuild")


def test_guard_without_kafka_is_unhealthy_and_says_so(start: Callable[..., Program]) -> None:
    """Heartbeats cannot be seen, and a restart of the connector would not help."""
    with start("-m", "debezium.guard", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1") as guard:
        wait_until(
            lambda: "127.0.0.1:1 with KAFKA_SECURITY_PROTOCOL=PLAINTEXT" in str(guard.healthy()), 60, "the reason"
        )
        assert "kafka_unavailable" in guard.output()
        assert guard.metric("guard_remedies_total") == 0
        assert guard.metric("guard_slot_usable") == 1
