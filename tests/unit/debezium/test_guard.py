"""One round of the guard at a time, with fakes for Connect and PostgreSQL."""

import logging

import pytest
from prometheus_client import REGISTRY

from debezium.connect import ConnectUnavailable, Status
from debezium.guard import Guard, watch
from debezium.register import SNAPSHOT_TABLES
from debezium.slot import Problem, SlotState
from debezium.topics import KafkaUnavailable, TopicsState
from debezium.wal import LargeChange
from pipeline.errors import PostgresUnavailable
from tests.unit.support.clocks import FakeStop

LIMIT = 16_000_000
CONFIG = {"a": "b", "producer.override.max.request.size": str(LIMIT)}
WANTED = CONFIG | {SNAPSHOT_TABLES: r"(?-i)public\.klines,(?-i)public\.orders"}

RUNNING = Status("RUNNING", ("RUNNING",))
FAILED = Status("RUNNING", ("FAILED",), "slot is gone")
TOO_LARGE = Status("RUNNING", ("FAILED",), "RecordTooLargeException: The message is 20480748 bytes when serialized")
HEALTHY = SlotState("reserved", True, 0, confirmed_lsn=100, current_lsn=100)
LOST = SlotState("lost", False, 5_000_000)
UNREADABLE = Problem("public.secret", "unreadable", "role crypto_debezium may not read it", "GRANT SELECT …")


class FakeConnect:
    """`states` are what `status` returns in turn; the last is repeated. `done`: the calls that
    changed it or the slot."""

    def __init__(self, *states):
        self.states = list(states)
        self.done = []
        self.offsets = False
        self.known = dict(WANTED)

    def config(self, _connector):
        return self.known

    def status(self, _connector):
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def has_offsets(self, _connector):
        return self.offsets

    def put_config(self, _connector, config):
        self.known = config
        self.done.append(("put", config))

    def restart(self, _connector, only_failed):
        self.done.append(("restart", only_failed))

    def stop(self, _connector):
        self.done.append("stop")

    def delete_offsets(self, _connector):
        self.done.append("delete_offsets")

    def resume(self, _connector):
        self.done.append("resume")


class FakeSlot:
    """`closed`: how often it was closed. A drop is added to what was done to Connect."""

    def __init__(self, state, connect, decoding_error="", large=()):
        self.now = state
        self._connect = connect
        self._decoding_error = decoding_error
        self._large = large
        self.found_problems = []
        self.closed = 0

    host = "db-2"

    def state(self):
        return self.now

    def problems(self):
        return self.found_problems

    def published_tables(self):
        return frozenset({"klines", "orders", "debezium_heartbeat"})

    def snapshot_tables(self):
        return ["klines", "orders"]

    def large_changes(self, over_bytes):
        return [each for each in self._large if each.size_bytes > over_bytes]

    def decoding_error(self):
        return self._decoding_error

    def drop(self):
        self._connect.done.append("drop")

    def close(self):
        self.closed += 1


class FakeTopics:
    """`flowing`: every look finds one heartbeat more. `raised`: the limits that were asked for."""

    def __init__(self):
        self.flowing = True
        self.end = 0
        self.tables = {"klines", "orders", "debezium_heartbeat"}
        self.raised = []
        self.error = None

    def state(self):
        if self.error:
            raise self.error
        self.end += self.flowing
        return TopicsState(frozenset(self.tables), self.end)

    def raise_limits(self, limit_bytes):
        self.raised.append(limit_bytes)
        return ["crypto.public.klines"]


@pytest.fixture
def topics():
    return FakeTopics()


@pytest.fixture
def make(clock, topics):
    """A guard that started 100 s ago and has looked at Kafka once since."""

    def guard(connect, slot):
        made = Guard(connect, topics, CONFIG, lambda: slot, FakeStop(clock=clock), clock)
        made._flow.seen(topics.state(), frozenset())
        clock.now += 100
        return made

    return guard


def rounds(guard, clock, seconds):
    """One check per second."""
    for _ in range(seconds):
        guard.check()
        clock.now += 1


def test_connector_that_delivers_is_healthy_and_left_alone(make):
    connect = FakeConnect(RUNNING)
    slot = FakeSlot(HEALTHY, connect)
    guard = make(connect, slot)
    guard.check()
    assert guard.healthy
    assert connect.done == []
    assert slot.closed == 1


def test_absent_connector_is_registered_with_its_configuration(make):
    connect = FakeConnect(Status("ABSENT", ()))
    make(connect, FakeSlot(SlotState("absent", False, 0), connect)).check()
    assert connect.done == [("put", WANTED)]


def test_failed_task_is_restarted_and_the_guard_is_unhealthy(make, caplog):
    connect = FakeConnect(FAILED)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    guard.check()
    assert connect.done == [("restart", True)]
    assert not guard.healthy
    assert [record.trace for record in caplog.records] == ["slot is gone"]


def test_silent_connector_is_restarted_as_a_whole(make, topics):
    """Its heartbeats do not arrive in Kafka, whatever PostgreSQL and Connect say."""
    topics.flowing = False
    connect = FakeConnect(RUNNING)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    guard.check()
    assert connect.done == [("restart", False)]
    assert not guard.healthy
    assert "no heartbeat has arrived in Kafka for 100 s" in guard.facts["reason"]
    assert REGISTRY.get_sample_value("guard_heartbeat_age_seconds") == 100.0


def test_connector_is_healthy_again_only_when_a_heartbeat_arrives(make, topics, clock):
    topics.flowing = False
    connect = FakeConnect(RUNNING)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    guard.check()
    clock.now += 5
    guard.check()
    assert not guard.healthy
    topics.flowing = True
    guard.check()
    assert guard.healthy
    assert len(connect.done) == 1


def test_deleted_topic_is_healed_by_one_restart(make, topics, clock):
    connect = FakeConnect(RUNNING)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    guard.check()
    topics.tables.remove("orders")
    guard.check()
    assert connect.done == [("restart", False)]
    assert "orders" in guard.facts["reason"]
    rounds(guard, clock, 60)
    assert len(connect.done) == 1
    assert guard.healthy


def test_limits_of_topics_are_raised_when_new_ones_appear(make, topics, clock):
    connect = FakeConnect(RUNNING)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    rounds(guard, clock, 3)
    assert topics.raised == [LIMIT]
    topics.tables.add("older")
    rounds(guard, clock, 3)
    assert topics.raised == [LIMIT, LIMIT]


def test_table_that_cannot_be_captured_is_reported_once_and_stops_nothing(make, clock, caplog):
    caplog.set_level(logging.INFO)
    connect = FakeConnect(RUNNING)
    slot = FakeSlot(HEALTHY, connect)
    slot.found_problems = [UNREADABLE]
    guard = make(connect, slot)
    rounds(guard, clock, 3)
    assert connect.done == []
    assert not guard.healthy
    assert "public.secret" in guard.facts["reason"]
    assert "GRANT SELECT" in guard.facts["reason"]
    assert REGISTRY.get_sample_value("guard_capture_problems", {"kind": "unreadable"}) == 1
    slot.found_problems = []
    rounds(guard, clock, 3)
    assert guard.healthy
    assert REGISTRY.get_sample_value("guard_capture_problems", {"kind": "unreadable"}) == 0
    events = [record.getMessage() for record in caplog.records if record.name == "debezium.problems"]
    assert events == ["capture_problem", "capture_problem_solved"]


def test_restart_brings_the_snapshot_list_up_to_date_first(make):
    connect = FakeConnect(FAILED)
    connect.known = WANTED | {SNAPSHOT_TABLES: r"(?-i)public\.secret"}
    make(connect, FakeSlot(HEALTHY, connect)).check()
    assert connect.done == [("put", WANTED), ("restart", True)]


def test_record_that_is_too_large_is_named_and_left_out(make, caplog):
    connect = FakeConnect(TOO_LARGE)
    large = LargeChange("public.orders", "id=7", 20_480_019, "0/3C562B0")
    small = LargeChange("public.orders", "id=8", 1_000_000, "0/3C562B8")
    before = REGISTRY.get_sample_value("guard_skipped_records_total", {"table": "public.orders"}) or 0
    make(connect, FakeSlot(HEALTHY, connect, large=[large, small])).check()
    assert connect.done == [
        ("put", WANTED | {"errors.tolerance": "all", "errors.log.enable": "true"}),
        ("restart", True),
    ]
    [line] = [record for record in caplog.records if record.getMessage() == "record_skipped"]
    assert (line.table, line.key, line.bytes, line.limit_bytes) == ("public.orders", "id=7", 20_480_019, LIMIT)
    assert REGISTRY.get_sample_value("guard_skipped_records_total", {"table": "public.orders"}) == before + 1


def test_record_that_a_snapshot_read_is_counted_without_its_table(make, caplog):
    connect = FakeConnect(TOO_LARGE)
    before = REGISTRY.get_sample_value("guard_skipped_records_total", {"table": "unknown"}) or 0
    make(connect, FakeSlot(HEALTHY, connect)).check()
    assert REGISTRY.get_sample_value("guard_skipped_records_total", {"table": "unknown"}) == before + 1
    assert any(record.getMessage() == "record_skipped" for record in caplog.records)


def test_skipping_ends_when_everything_of_that_time_is_in_kafka(make, clock):
    connect = FakeConnect(TOO_LARGE)
    slot = FakeSlot(SlotState("reserved", True, 0, confirmed_lsn=50, current_lsn=200), connect)
    guard = make(connect, slot)
    guard.check()
    connect.states, connect.done = [RUNNING], []
    slot.now = SlotState("reserved", True, 0, confirmed_lsn=199, current_lsn=300)
    guard.check()
    assert connect.done == []
    slot.now = SlotState("reserved", True, 0, confirmed_lsn=200, current_lsn=300)
    guard.check()
    assert connect.done == [("put", WANTED)]
    guard.check()
    assert len(connect.done) == 1


def test_skipping_that_an_earlier_guard_began_ends_too(make):
    connect = FakeConnect(RUNNING)
    connect.known = WANTED | {"errors.tolerance": "all", "errors.log.enable": "true"}
    slot = FakeSlot(SlotState("reserved", True, 0, confirmed_lsn=50, current_lsn=200), connect)
    guard = make(connect, slot)
    guard.check()
    assert connect.done == []
    slot.now = SlotState("reserved", True, 0, confirmed_lsn=200, current_lsn=300)
    guard.check()
    assert connect.done == [("put", WANTED)]


def test_kafka_that_does_not_answer_makes_the_guard_unhealthy_with_a_reason(topics, make):
    topics_error = KafkaUnavailable("Kafka at broker:9092: no answer")
    connect = FakeConnect(RUNNING)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    guard.check()
    assert guard.healthy
    topics.error = topics_error
    with pytest.raises(KafkaUnavailable):
        guard.check()
    guard.unreachable(topics_error)
    assert not guard.healthy
    assert guard.facts == {"reason": "Kafka at broker:9092: no answer"}
    assert connect.done == []


def test_slot_is_measured_while_connect_is_unavailable(make):
    """That is when WAL piles up, and an alert depends on it."""

    class UnavailableConnect:
        done = []

        def status(self, _connector):
            raise ConnectUnavailable("connection refused")

    connect = UnavailableConnect()
    guard = make(connect, FakeSlot(SlotState("extended", False, 700_000_000), connect))
    with pytest.raises(ConnectUnavailable):
        guard.check()
    assert REGISTRY.get_sample_value("guard_slot_lag_bytes") == 700_000_000
    assert REGISTRY.get_sample_value("guard_heartbeat_age_seconds") == 100.0


def test_slot_that_cannot_be_decoded_is_rebuilt_because_no_restart_helps(make, caplog):
    connect = FakeConnect(FAILED, Status("STOPPED", ()))
    make(connect, FakeSlot(HEALTHY, connect, decoding_error="no such publication")).check()
    assert connect.done == ["stop", "delete_offsets", "drop", "resume"]
    assert caplog.records[0].decoding_error == "no such publication"


def test_slot_is_kept_while_the_publication_is_missing(make):
    """It may be created again before any row changes; until then nothing can be captured anyway."""
    connect = FakeConnect(FAILED)
    unpublished = SlotState("reserved", True, 0, published=False)
    make(connect, FakeSlot(unpublished, connect, decoding_error="no such publication")).check()
    assert connect.done == [("restart", True)]


def test_remedy_that_does_not_help_is_repeated_less_and_less_often(make, clock):
    connect = FakeConnect(FAILED)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    rounds(guard, clock, 600)
    assert 5 <= len(connect.done) <= 12


class FlappingConnect(FakeConnect):
    """Runs for some rounds after each restart and fails again."""

    def __init__(self, running_rounds):
        super().__init__(FAILED)
        self._running_rounds = running_rounds
        self._left = 0

    def status(self, _connector):
        self._left -= 1
        return RUNNING if self._left >= 0 else FAILED

    def restart(self, _connector, only_failed):
        super().restart(_connector, only_failed)
        self._left = self._running_rounds


def test_short_running_does_not_reset_the_backoff(make, clock):
    """As with a record that can never be sent: the task runs for seconds, with heartbeats."""
    connect = FlappingConnect(running_rounds=8)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    rounds(guard, clock, 600)
    assert 5 <= len(connect.done) <= 12


def test_connector_that_flowed_for_a_minute_is_restarted_quickly_again(make, clock):
    connect = FlappingConnect(running_rounds=100)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    rounds(guard, clock, 1050)
    assert 9 <= len(connect.done) <= 11


def test_lost_slot_is_rebuilt_step_by_step_in_the_order_that_can_be_repeated(make):
    connect = FakeConnect(FAILED, Status("STOPPED", ("RUNNING",)), Status("STOPPED", ()))
    make(connect, FakeSlot(LOST, connect)).check()
    assert connect.done == ["stop", "delete_offsets", "drop", "resume"]


def test_offsets_are_never_deleted_while_a_task_still_runs(make):
    connect = FakeConnect(FAILED, RUNNING)
    slot = FakeSlot(LOST, connect)
    guard = make(connect, slot)
    with pytest.raises(ConnectUnavailable, match="did not stop"):
        guard.check()
    assert connect.done == ["stop"]
    assert slot.closed == 1


def test_missing_slot_of_a_new_connector_is_not_rebuilt(make):
    connect = FakeConnect(Status("UNASSIGNED", ()))
    make(connect, FakeSlot(SlotState("absent", False, 0), connect)).check()
    assert connect.done == []


def test_missing_slot_of_a_connector_with_offsets_is_rebuilt(make):
    connect = FakeConnect(FAILED, Status("STOPPED", ()))
    connect.offsets = True
    make(connect, FakeSlot(SlotState("absent", False, 0), connect)).check()
    assert connect.done == ["stop", "delete_offsets", "drop", "resume"]


def test_outage_of_each_dependency_is_logged_by_its_name(caplog):
    """Each outage once, and all recoveries at the first round that succeeds."""
    caplog.set_level(logging.INFO, "debezium.guard")
    outcomes = iter(
        [
            ConnectUnavailable("refused"),
            PostgresUnavailable("refused"),
            KafkaUnavailable("refused"),
            ConnectUnavailable("refused"),
            None,
        ]
    )

    class FakeGuard:
        unreachable_rounds = 0

        def check(self):
            if (error := next(outcomes)) is not None:
                raise error

        def unreachable(self, error):
            assert str(error) == "refused"
            self.unreachable_rounds += 1

    guard = FakeGuard()
    watch(guard, FakeStop(after_waits=5))
    assert guard.unreachable_rounds == 4
    assert [record.getMessage() for record in caplog.records] == [
        "connect_unavailable",
        "postgres_unavailable",
        "kafka_unavailable",
        "connect_recovered",
        "kafka_recovered",
        "postgres_recovered",
    ]
