"""One round of the guard at a time, with fakes for Connect and PostgreSQL."""

import logging

import pytest
from prometheus_client import REGISTRY

from debezium.connect import ConnectUnavailable, Status
from debezium.guard import Guard, watch
from debezium.slot import SlotState
from pipeline.errors import PostgresUnavailable
from tests.unit.support.clocks import FakeStop

RUNNING = Status("RUNNING", ("RUNNING",))
FAILED = Status("RUNNING", ("FAILED",), "slot is gone")
HEALTHY = SlotState("reserved", True, 0, 1.0)
LOST = SlotState("lost", False, 5_000_000, 400.0)


class FakeConnect:
    """`states` are what `status` returns in turn; the last is repeated. `done`: the calls that
    changed it or the slot."""

    def __init__(self, *states):
        self.states = list(states)
        self.done = []
        self.offsets = False

    def status(self, _connector):
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def has_offsets(self, _connector):
        return self.offsets

    def put_config(self, _connector, config):
        self.done.append(("register", config))

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

    def __init__(self, state, connect, decoding_error=""):
        self._state = state
        self._connect = connect
        self._decoding_error = decoding_error
        self.closed = 0

    def state(self):
        return self._state

    def decoding_error(self):
        return self._decoding_error

    def drop(self):
        self._connect.done.append("drop")

    def close(self):
        self.closed += 1


@pytest.fixture
def make(clock):
    """A guard that started 100 s ago."""

    def guard(connect, slot):
        made = Guard(connect, {"a": "b"}, lambda: slot, FakeStop(clock=clock), clock)
        clock.now += 100
        return made

    return guard


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
    make(connect, FakeSlot(SlotState("absent", False, 0, None), connect)).check()
    assert connect.done == [("register", {"a": "b"})]


def test_failed_task_is_restarted_and_the_guard_is_unhealthy(make, caplog):
    connect = FakeConnect(FAILED)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    guard.check()
    assert connect.done == [("restart", True)]
    assert not guard.healthy
    assert [record.trace for record in caplog.records] == ["slot is gone"]


def test_silent_connector_is_restarted_as_a_whole(make):
    connect = FakeConnect(RUNNING)
    make(connect, FakeSlot(SlotState("reserved", True, 0, 120.0), connect)).check()
    assert connect.done == [("restart", False)]


def test_slot_is_measured_while_connect_is_unavailable(make):
    """That is when WAL piles up, and an alert depends on it."""

    class UnavailableConnect:
        done = []

        def status(self, _connector):
            raise ConnectUnavailable("connection refused")

    connect = UnavailableConnect()
    guard = make(connect, FakeSlot(SlotState("extended", False, 700_000_000, 50.0), connect))
    with pytest.raises(ConnectUnavailable):
        guard.check()
    assert REGISTRY.get_sample_value("guard_slot_lag_bytes") == 700_000_000
    assert REGISTRY.get_sample_value("guard_heartbeat_age_seconds") == 50.0


def test_slot_that_cannot_be_decoded_is_rebuilt_because_no_restart_helps(make, caplog):
    connect = FakeConnect(FAILED, Status("STOPPED", ()))
    make(connect, FakeSlot(HEALTHY, connect, decoding_error="no such publication")).check()
    assert connect.done == ["stop", "delete_offsets", "drop", "resume"]
    assert caplog.records[0].decoding_error == "no such publication"


def test_slot_is_kept_while_the_publication_is_missing(make):
    """It may be created again before any row changes; until then nothing can be captured anyway."""
    connect = FakeConnect(FAILED)
    unpublished = SlotState("reserved", True, 0, 1.0, published=False)
    make(connect, FakeSlot(unpublished, connect, decoding_error="no such publication")).check()
    assert connect.done == [("restart", True)]


def test_remedy_that_does_not_help_is_repeated_less_and_less_often(make, clock):
    connect = FakeConnect(FAILED)
    guard = make(connect, FakeSlot(HEALTHY, connect))
    for _ in range(600):
        guard.check()
        clock.now += 1
    assert 5 <= len(connect.done) <= 12


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
    make(connect, FakeSlot(SlotState("absent", False, 0, None), connect)).check()
    assert connect.done == []


def test_missing_slot_of_a_connector_with_offsets_is_rebuilt(make):
    connect = FakeConnect(FAILED, Status("STOPPED", ()))
    connect.offsets = True
    make(connect, FakeSlot(SlotState("absent", False, 0, 3.0), connect)).check()
    assert connect.done == ["stop", "delete_offsets", "drop", "resume"]


def test_outage_of_each_dependency_is_logged_by_its_name(caplog):
    """Each outage once, and both recoveries at the first round that succeeds."""
    caplog.set_level(logging.INFO, "debezium.guard")
    outcomes = iter(
        [ConnectUnavailable("refused"), PostgresUnavailable("refused"), ConnectUnavailable("refused"), None]
    )

    class FakeGuard:
        unreachable_rounds = 0

        def check(self):
            if (error := next(outcomes)) is not None:
                raise error

        def unreachable(self):
            self.unreachable_rounds += 1

    guard = FakeGuard()
    watch(guard, FakeStop(after_waits=4))
    assert guard.unreachable_rounds == 3
    assert [record.getMessage() for record in caplog.records] == [
        "connect_unavailable",
        "postgres_unavailable",
        "connect_recovered",
        "postgres_recovered",
    ]
