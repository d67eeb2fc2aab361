"""Watches the capture for as long as it runs: `python3 -m debezium.guard`. Registers the connector,
restarts what failed or fell silent, and rebuilds a lost slot with a new snapshot."""

import argparse
import logging
import time
from collections.abc import Callable

import psycopg2
from prometheus_client import Counter, Gauge
from psycopg2.extensions import connection as Connection

from debezium.connect import Connect, ConnectUnavailable, Status
from debezium.diagnosis import Remedy, remedy
from debezium.register import CONNECTOR, connector_config
from debezium.slot import SlotState, drop_slot, slot_state, unreadable
from pipeline import logs, monitor, postgres, program
from pipeline.backoff import Backoff
from pipeline.errors import PostgresUnavailable
from pipeline.outage import Outage
from pipeline.settings import Settings, load
from pipeline.stopping import Stop, on_signals

log = logging.getLogger("debezium.guard")

LOOK_EVERY_SECONDS = 5.0
STOPPED_WITHIN_SECONDS = 60.0
RESTARTS = (Remedy.RESTART_FAILED, Remedy.RESTART_SILENT)

RUNNING = Gauge("guard_connector_running", "1 when the connector and its task run")
HEARTBEAT_AGE = Gauge("guard_heartbeat_age_seconds", "Since Debezium last wrote its heartbeat row")
SLOT_LAG = Gauge("guard_slot_lag_bytes", "WAL that the slot holds back")
SLOT_USABLE = Gauge("guard_slot_usable", "0 when PostgreSQL gave the slot up, or it is gone")
REMEDIES = Counter("guard_remedies_total", "What the guard did", ["remedy"])


class Guard:
    """`look` once is one round; what it saw last is in `healthy` and `facts`."""

    def __init__(
        self, connect: Connect, config: dict[str, str], database: Callable[[], Connection], stop: Stop
    ) -> None:
        self._connect = connect
        self._config = config
        self._database = database
        self._stop = stop
        self._acted_at = time.monotonic()
        self._backoff = Backoff(5, 300)
        self._not_before = 0.0
        self.healthy = False
        self.facts = {}

    def look(self) -> None:
        """Look, and do what helps. Raises ConnectUnavailable, PostgresUnavailable or a psycopg2
        error."""
        connection = self._database()
        try:
            slot = slot_state(connection)
            # Before Connect is asked: while it is away, the slot is what matters.
            measure(slot)
            status = self._connect.status(CONNECTOR)
            # Only asked when it matters: it is a read of Connect's own topic.
            has_offsets = slot.wal_status == "absent" and self._connect.has_offsets(CONNECTOR)
            found = remedy(status, slot, has_offsets, time.monotonic() - self._acted_at)
            self._report(status, slot, found)
            if found in (Remedy.NONE, Remedy.WAIT):
                if found is Remedy.NONE:
                    self._backoff.reset()
                return
            if time.monotonic() < self._not_before:
                return
            if found in RESTARTS and slot.published and (reason := unreadable(connection)):
                found, self.facts["unreadable"] = Remedy.REBUILD_SLOT, reason
            self._apply(found, status, slot, connection)
        finally:
            connection.close()

    def _report(self, status: Status, slot: SlotState, found: Remedy) -> None:
        RUNNING.set(status.running)
        self.healthy = found is Remedy.NONE
        self.facts = {
            "connector": status.connector,
            "tasks": list(status.tasks),
            "wal_status": slot.wal_status,
            "slot_lag_bytes": slot.lag_bytes,
            "heartbeat_age_seconds": slot.heartbeat_age_seconds,
            "published": slot.published,
        }

    def _apply(self, found: Remedy, status: Status, slot: SlotState, connection: Connection) -> None:
        level = logging.INFO if found is Remedy.REGISTER else logging.ERROR
        log.log(level, found.value, extra={**self.facts, "trace": status.trace or "-"})
        REMEDIES.labels(found.value).inc()
        if found is Remedy.REGISTER:
            self._connect.put_config(CONNECTOR, self._config)
        elif found is Remedy.RESTART_FAILED:
            self._connect.restart(CONNECTOR, only_failed=True)
        elif found is Remedy.RESTART_SILENT:
            self._connect.restart(CONNECTOR, only_failed=False)
        else:
            self._rebuild_slot(connection)
        self._acted_at = time.monotonic()
        self._not_before = self._acted_at + self._backoff.next_seconds()

    def _rebuild_slot(self, connection: Connection) -> None:
        """Begin anew: 1 stop, 2 forget the position, 3 drop the slot, 4 resume, which makes a slot
        and a snapshot. Each step may be repeated, so a round that breaks off is finished by the
        next one. The snapshot brings every current row; rows that were deleted meanwhile stay in
        Cassandra until their TTL."""
        self._connect.stop(CONNECTOR)
        deadline = time.monotonic() + STOPPED_WITHIN_SECONDS
        while (state := self._connect.status(CONNECTOR)).connector != "STOPPED" or state.tasks:
            if time.monotonic() > deadline or self._stop.wait(0.5):
                raise ConnectUnavailable(f"{CONNECTOR} did not stop: {state.connector}, tasks {state.tasks}")
        self._connect.forget_offsets(CONNECTOR)
        drop_slot(connection)
        self._connect.resume(CONNECTOR)
        log.error("slot_rebuilt", extra={"effect": "changes since it was lost come as a snapshot; deletes do not"})


def measure(slot: SlotState) -> None:
    SLOT_LAG.set(slot.lag_bytes)
    SLOT_USABLE.set(slot.usable)
    if slot.heartbeat_age_seconds is not None:
        HEARTBEAT_AGE.set(slot.heartbeat_age_seconds)


def main() -> int:
    argparse.ArgumentParser(prog="python3 -m debezium.guard", description=__doc__).parse_args()
    settings = load("guard")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    guard = Guard(Connect(settings.CONNECT_URL), connector_config(settings), lambda: as_debezium(settings), stop)
    monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: (guard.healthy, guard.facts))
    outage = Outage("connect", log)
    while not stop.requested:
        try:
            guard.look()
            outage.over()
        except (ConnectUnavailable, PostgresUnavailable, psycopg2.Error) as error:
            guard.healthy = False
            RUNNING.set(0)
            outage.failed(error, LOOK_EVERY_SECONDS)
        stop.wait(LOOK_EVERY_SECONDS)
    return 0


def as_debezium(settings: Settings) -> Connection:
    """The connector's own role: it may see and drop its slot."""
    own = settings.override(PGUSER="crypto_debezium", PGPASSWORD=settings.DEBEZIUM_PASSWORD)
    return postgres.connect(own, "guard")


if __name__ == "__main__":
    raise SystemExit(program.run("guard", main))
