"""Watches the capture while it runs: `python3 -m debezium.guard`. Registers the connector, restarts
it when it has failed or delivers nothing, and rebuilds a lost slot with a new snapshot."""

import argparse
import logging
import time
from collections.abc import Callable
from contextlib import closing

import psycopg2
from prometheus_client import Counter, Gauge

from debezium.connect import Connect, ConnectUnavailable, Status
from debezium.diagnosis import Remedy, remedy
from debezium.register import CONNECTOR, connector_config
from debezium.slot import Slot, SlotState
from pipeline import logs, monitor, postgres, program
from pipeline.backoff import Backoff
from pipeline.errors import PostgresUnavailable
from pipeline.outage import Outage
from pipeline.settings import Settings, load
from pipeline.stopping import Stop, on_signals

log = logging.getLogger("debezium.guard")

CHECK_EVERY_SECONDS = 5.0
MAX_STOP_SECONDS = 60.0
RESTARTS = (Remedy.RESTART_FAILED, Remedy.RESTART_SILENT)

RUNNING = Gauge("guard_connector_running", "1 when the connector and its task run")
HEARTBEAT_AGE = Gauge("guard_heartbeat_age_seconds", "Since Debezium last wrote its heartbeat row")
SLOT_LAG = Gauge("guard_slot_lag_bytes", "WAL that the slot holds back")
SLOT_USABLE = Gauge("guard_slot_usable", "0 when PostgreSQL has invalidated the slot, or it is absent")
REMEDIES = Counter("guard_remedies_total", "Remedies that the guard applied", ["remedy"])


class Guard:
    """`check` is one round; `healthy` and `facts` hold its result. `open_slot` opens a new
    connection for every round."""

    def __init__(
        self,
        connect: Connect,
        config: dict[str, str],
        open_slot: Callable[[], Slot],
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._config = config
        self._open_slot = open_slot
        self._stop = stop
        self._clock = clock
        self._backoff = Backoff(5, 300)
        self._last_remedy_at = clock()
        self._next_remedy_at = 0.0
        self.healthy = False
        self.facts: dict[str, object] = {}

    def check(self) -> None:
        """Find out the state and apply the remedy. Raises ConnectUnavailable, PostgresUnavailable
        or a psycopg2 error."""
        with closing(self._open_slot()) as slot:
            state = slot.state()
            # Before the call to Connect: while that is unavailable, WAL piles up behind the slot.
            measure(state)
            status = self._connect.status(CONNECTOR)
            # Requested only when it matters: it makes Connect read its own topic.
            has_offsets = state.wal_status == "absent" and self._connect.has_offsets(CONNECTOR)
            needed = remedy(status, state, has_offsets, self._clock() - self._last_remedy_at)
            self._publish(status, state, needed)
            if needed is Remedy.NONE:
                self._backoff.reset()
            if needed in (Remedy.NONE, Remedy.WAIT) or self._clock() < self._next_remedy_at:
                return
            if needed in RESTARTS and state.published and (error := slot.decoding_error()):
                self.facts["decoding_error"] = error
                needed = Remedy.REBUILD_SLOT
            self._apply(needed, status, slot)

    def unreachable(self) -> None:
        """Connect or PostgreSQL did not answer: the state is unknown."""
        self.healthy = False
        RUNNING.set(0)

    def _publish(self, status: Status, state: SlotState, needed: Remedy) -> None:
        RUNNING.set(status.running)
        self.healthy = needed is Remedy.NONE
        self.facts = {
            "connector": status.connector,
            "tasks": list(status.tasks),
            "wal_status": state.wal_status,
            "slot_lag_bytes": state.lag_bytes,
            "heartbeat_age_seconds": state.heartbeat_age_seconds,
            "published": state.published,
        }

    def _apply(self, needed: Remedy, status: Status, slot: Slot) -> None:
        level = logging.INFO if needed is Remedy.REGISTER else logging.ERROR
        log.log(level, needed.value, extra={**self.facts, "trace": status.trace or "-"})
        REMEDIES.labels(needed.value).inc()
        if needed is Remedy.REGISTER:
            self._connect.put_config(CONNECTOR, self._config)
        elif needed is Remedy.RESTART_FAILED:
            self._connect.restart(CONNECTOR, only_failed=True)
        elif needed is Remedy.RESTART_SILENT:
            self._connect.restart(CONNECTOR, only_failed=False)
        else:
            self._rebuild_slot(slot)
        self._last_remedy_at = self._clock()
        self._next_remedy_at = self._last_remedy_at + self._backoff.next_seconds()

    def _rebuild_slot(self, slot: Slot) -> None:
        """Start again with a snapshot: 1 stop, 2 delete the offsets, 3 drop the slot, 4 resume,
        which creates a slot and takes a snapshot. Each step may be repeated, so the next round
        completes one that was interrupted. The snapshot contains every current row; rows that were
        deleted meanwhile stay in Cassandra until their TTL."""
        # 1
        self._connect.stop(CONNECTOR)
        deadline = self._clock() + MAX_STOP_SECONDS
        while (status := self._connect.status(CONNECTOR)).connector != "STOPPED" or status.tasks:
            if self._clock() > deadline or self._stop.wait(0.5):
                raise ConnectUnavailable(f"{CONNECTOR} did not stop: {status.connector}, tasks {status.tasks}")
        # 2
        self._connect.delete_offsets(CONNECTOR)
        # 3
        slot.drop()
        # 4
        self._connect.resume(CONNECTOR)
        log.error("slot_rebuilt", extra={"effect": "changes since it was lost come as a snapshot; deletes do not"})


def measure(state: SlotState) -> None:
    SLOT_LAG.set(state.lag_bytes)
    SLOT_USABLE.set(state.usable)
    if state.heartbeat_age_seconds is not None:
        HEARTBEAT_AGE.set(state.heartbeat_age_seconds)


def watch(guard: Guard, stop: Stop) -> None:
    """One check every few seconds until `stop`."""
    connect_outage = Outage("connect", log)
    postgres_outage = Outage("postgres", log)
    while not stop.requested:
        try:
            guard.check()
        except ConnectUnavailable as error:
            guard.unreachable()
            connect_outage.failed(error, CHECK_EVERY_SECONDS)
        except (PostgresUnavailable, psycopg2.Error) as error:
            guard.unreachable()
            postgres_outage.failed(error, CHECK_EVERY_SECONDS)
        else:
            connect_outage.over()
            postgres_outage.over()
        stop.wait(CHECK_EVERY_SECONDS)


def open_slot(settings: Settings) -> Slot:
    """As the connector's own role, which may see and drop its slot. Raises PostgresUnavailable."""
    debezium = settings.override(PGUSER="crypto_debezium", PGPASSWORD=settings.DEBEZIUM_PASSWORD)
    return Slot(postgres.connect(debezium, "guard"))


def main() -> int:
    argparse.ArgumentParser(prog="python3 -m debezium.guard", description=__doc__).parse_args()
    settings = load("guard")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    guard = Guard(Connect(settings.CONNECT_URL), connector_config(settings), lambda: open_slot(settings), stop)
    monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: (guard.healthy, guard.facts))
    watch(guard, stop)
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("guard", main))
