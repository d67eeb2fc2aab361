"""Watches the capture while it runs: `python3 -m debezium.guard`. Registers the connector, restarts
it when it has failed or delivers nothing, gets past a row that is too large for Kafka, rebuilds a
lost slot with a new snapshot, and reports tables that cannot be captured correctly."""

import argparse
import logging
import time
from collections.abc import Callable
from contextlib import closing

import psycopg2
from prometheus_client import Counter, Gauge

from debezium.connect import Connect, ConnectUnavailable, Status
from debezium.diagnosis import SILENT_AFTER_SECONDS, Remedy, remedy
from debezium.flow import Flow, FlowWatch
from debezium.primary import follow, with_primary
from debezium.problems import ProblemList
from debezium.register import CONNECTOR, SNAPSHOT_TABLES, connector_config, max_record_bytes, snapshot_list
from debezium.skipping import RecordSkipper
from debezium.slot import Slot, SlotState, open_slot
from debezium.topics import KafkaUnavailable, Topics
from pipeline import logs, monitor, program
from pipeline.backoff import Backoff
from pipeline.errors import PostgresUnavailable
from pipeline.outage import Outage
from pipeline.settings import Settings, load
from pipeline.stopping import Stop, on_signals

log = logging.getLogger("debezium.guard")

CHECK_EVERY_SECONDS = 5.0
MAX_STOP_SECONDS = 60.0
# A connector that runs for less and fails again has not recovered: the next remedy waits longer.
RECOVERED_AFTER_SECONDS = 60.0
RESTARTS = (Remedy.RESTART_FAILED, Remedy.RESTART_SILENT, Remedy.RESTART_TOPIC)

RUNNING = Gauge("guard_connector_running", "1 when the connector and its task run")
HEARTBEAT_AGE = Gauge("guard_heartbeat_age_seconds", "Since a heartbeat of Debezium last arrived in Kafka")
SLOT_LAG = Gauge("guard_slot_lag_bytes", "WAL that the slot holds back")
SLOT_USABLE = Gauge("guard_slot_usable", "0 when PostgreSQL has invalidated the slot, or it is absent")
TOPICS = Gauge("guard_captured_topics", "Captured tables that have a topic in Kafka")
REMEDIES = Counter("guard_remedies_total", "Remedies that the guard applied", ["remedy"])


class Guard:
    """`check` is one round; `healthy` and `facts` hold its result. `open_slot` opens a new
    connection for every round."""

    def __init__(
        self,
        connect: Connect,
        topics: Topics,
        config: dict[str, str],
        open_slot: Callable[[], Slot],
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._topics = topics
        self._config = config
        self._open_slot = open_slot
        self._stop = stop
        self._clock = clock
        self._backoff = Backoff(5, 300)
        self._flow = FlowWatch(clock, SILENT_AFTER_SECONDS)
        self._next_remedy_at = 0.0
        self._problems = ProblemList()
        self._skipper = RecordSkipper(connect, self._wanted_config)
        self._known_tables: frozenset[str] = frozenset()
        self.healthy = False
        self.facts: dict[str, object] = {}

    def check(self) -> None:
        """Find out the state and apply the remedy. Raises ConnectUnavailable, KafkaUnavailable,
        PostgresUnavailable or a psycopg2 error."""
        with closing(self._open_slot()) as slot:
            state = slot.state()
            # Before the calls to Connect and Kafka: while they are unavailable, WAL piles up.
            self._measure(state)
            self._problems.update(slot.problems())
            follow(self._connect, CONNECTOR, self._config, slot.host)
            status = self._connect.status(CONNECTOR)
            # Requested only when it matters: it makes Connect read its own topic.
            has_offsets = state.wal_status == "absent" and self._connect.has_offsets(CONNECTOR)
            if state.snapshotting:
                self._flow.pause()
            flow = self._look_at_topics(slot.published_tables())
            needed = remedy(status, state, has_offsets, flow)
            self._publish(status, state, flow, needed)
            if status.running:
                self._skipper.end_when_past(state)
            if needed is Remedy.NONE and (flow.flowing_seconds or 0) > RECOVERED_AFTER_SECONDS:
                self._backoff.reset()
            if needed in (Remedy.NONE, Remedy.WAIT) or self._clock() < self._next_remedy_at:
                return
            if needed in RESTARTS and state.published and (error := slot.decoding_error()):
                self.facts["decoding_error"] = error
                needed = Remedy.REBUILD_SLOT
            self._apply(needed, status, slot, state, flow)

    def unreachable(self, error: Exception) -> None:
        """Connect, Kafka or PostgreSQL did not answer: the state is unknown."""
        self.healthy = False
        self.facts = {"reason": str(error).strip()}
        RUNNING.set(0)
        HEARTBEAT_AGE.set(self._flow.heartbeat_age_seconds())

    def _measure(self, state: SlotState) -> None:
        SLOT_LAG.set(state.lag_bytes)
        SLOT_USABLE.set(state.usable)
        HEARTBEAT_AGE.set(self._flow.heartbeat_age_seconds())

    def _look_at_topics(self, published: frozenset[str]) -> Flow:
        found = self._topics.state()
        if found.tables - self._known_tables:
            for topic in self._topics.raise_limits(max_record_bytes(self._config)):
                log.info("topic_limit_raised", extra={"topic": topic, "bytes": max_record_bytes(self._config)})
        self._known_tables = found.tables
        TOPICS.set(len(found.tables & published))
        flow = self._flow.seen(found, published)
        HEARTBEAT_AGE.set(self._flow.heartbeat_age_seconds())
        return flow

    def _publish(self, status: Status, state: SlotState, flow: Flow, needed: Remedy) -> None:
        RUNNING.set(status.running)
        self.healthy = needed is Remedy.NONE and not self._problems
        self.facts = {
            "connector": status.connector,
            "tasks": list(status.tasks),
            "wal_status": state.wal_status,
            "slot_lag_bytes": state.lag_bytes,
            "heartbeat_age_seconds": round(self._flow.heartbeat_age_seconds(), 1),
            "published": state.published,
        }
        if not self.healthy:
            self.facts["reason"] = reason(status, state, flow, needed, self._problems.texts())

    def _apply(self, needed: Remedy, status: Status, slot: Slot, state: SlotState, flow: Flow) -> None:
        level = logging.INFO if needed is Remedy.REGISTER else logging.ERROR
        log.log(level, needed.value, extra={**self.facts, "trace": status.trace or "-"})
        REMEDIES.labels(needed.value).inc()
        if needed is Remedy.REGISTER:
            self._connect.put_config(CONNECTOR, self._wanted_config(slot))
        elif needed is Remedy.SKIP_RECORD:
            self._skipper.begin(slot, state)
        elif needed is Remedy.REBUILD_SLOT:
            self._rebuild_slot(slot)
        else:
            self._renew_config(slot)
            self._connect.restart(CONNECTOR, only_failed=needed is Remedy.RESTART_FAILED)
        self._flow.judge_from_now()
        self._next_remedy_at = self._clock() + self._backoff.next_seconds()

    def _wanted_config(self, slot: Slot) -> dict[str, str]:
        return with_primary(self._config, slot.host) | {SNAPSHOT_TABLES: snapshot_list(slot.snapshot_tables())}

    def _renew_config(self, slot: Slot) -> None:
        """Give the connector the list of tables that a snapshot may read now: what it does after a
        restart may be a snapshot. Connect restarts the tasks when the configuration changes, so a
        stream that works is left alone until then."""
        wanted = self._wanted_config(slot)
        known = self._connect.config(CONNECTOR)
        if known.get(SNAPSHOT_TABLES) != wanted[SNAPSHOT_TABLES]:
            self._connect.put_config(CONNECTOR, known | wanted)
            log.info("snapshot_tables_changed", extra={"tables": wanted[SNAPSHOT_TABLES]})

    def _rebuild_slot(self, slot: Slot) -> None:
        """Start again with a snapshot: 1 stop, 2 delete the offsets, 3 drop the slot, 4 renew the
        list of tables that the snapshot reads, 5 resume, which creates a slot and takes a snapshot.
        Each step may be repeated, so the next round completes one that was interrupted. The
        snapshot contains every current row; rows that were deleted meanwhile stay in Cassandra
        until their TTL."""
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
        self._renew_config(slot)
        # 5
        self._connect.resume(CONNECTOR)
        log.error("slot_rebuilt", extra={"effect": "changes since it was lost come as a snapshot; deletes do not"})


def reason(status: Status, state: SlotState, flow: Flow, needed: Remedy, problems: list[str]) -> str:
    """Why the guard is not healthy, most urgent first."""
    reasons = [f"{status.connector}, tasks {', '.join(status.tasks) or 'none'}"] if not status.running else []
    if status.trace:
        reasons.append(status.trace)
    if not state.published:
        reasons.append("the publication crypto_publication does not exist: run the schema step")
    if not state.usable:
        reasons.append(f"the replication slot is {state.wal_status}")
    if state.snapshotting:
        reasons.append("a snapshot is being read; changes follow when it is complete")
    if flow.deleted_topics:
        reasons.append(f"the topics of these tables were deleted: {', '.join(flow.deleted_topics)}")
    if needed in (Remedy.WAIT, Remedy.RESTART_SILENT) and not state.snapshotting:
        reasons.append(f"no heartbeat has arrived in Kafka for {flow.silent_seconds:.0f} s")
    return "; ".join(reasons + problems)


def watch(guard: Guard, stop: Stop) -> None:
    """One check every few seconds until `stop`."""
    connect_outage = Outage("connect", log)
    kafka_outage = Outage("kafka", log)
    postgres_outage = Outage("postgres", log)
    while not stop.requested:
        try:
            guard.check()
        except ConnectUnavailable as error:
            guard.unreachable(error)
            connect_outage.failed(error, CHECK_EVERY_SECONDS)
        except KafkaUnavailable as error:
            guard.unreachable(error)
            kafka_outage.failed(error, CHECK_EVERY_SECONDS)
        except (PostgresUnavailable, psycopg2.Error) as error:
            guard.unreachable(error)
            postgres_outage.failed(error, CHECK_EVERY_SECONDS)
        else:
            connect_outage.over()
            kafka_outage.over()
            postgres_outage.over()
        stop.wait(CHECK_EVERY_SECONDS)


def make_guard(settings: Settings, topics: Topics, stop: Stop) -> Guard:
    connect = Connect(settings.CONNECT_URL)
    return Guard(connect, topics, connector_config(settings), lambda: open_slot(settings, "guard"), stop)


def main() -> int:
    argparse.ArgumentParser(prog="python3 -m debezium.guard", description=__doc__).parse_args()
    settings = load("guard")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    with Topics.of(settings) as topics:
        guard = make_guard(settings, topics, stop)
        monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: (guard.healthy, guard.facts))
        watch(guard, stop)
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("guard", main))
