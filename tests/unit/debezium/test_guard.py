"""One round of the guard at a time, with Connect and PostgreSQL played."""

from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from debezium import guard as guard_module
from debezium.connect import ConnectUnavailable, Status
from debezium.guard import Guard
from debezium.slot import SlotState
from tests.unit.support.clocks import FakeClock, FakeStop

RUNNING = Status("RUNNING", ("RUNNING",))
FAILED = Status("RUNNING", ("FAILED",), "slot is gone")
GOOD = SlotState("reserved", True, 0, 1.0)
LOST = SlotState("lost", False, 5_000_000, 400.0)


class FakeConnect:
    """`states` are what `status` says in turn; the last is repeated. `done` is what was asked of it
    and the slot."""

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

    def forget_offsets(self, _connector):
        self.done.append("forget")

    def resume(self, _connector):
        self.done.append("resume")


@pytest.fixture
def clock(monkeypatch):
    fake = FakeClock()
    monkeypatch.setattr(guard_module, "time", SimpleNamespace(monotonic=fake))
    return fake


@pytest.fixture
def make(clock, monkeypatch):
    closed = []

    def guard(connect, slot, unreadable=""):
        monkeypatch.setattr(guard_module, "slot_state", lambda _connection: slot)
        monkeypatch.setattr(guard_module, "unreadable", lambda _connection: unreadable)
        monkeypatch.setattr(guard_module, "drop_slot", lambda _connection: connect.done.append("drop"))
        connection = SimpleNamespace(close=lambda: closed.append(True))
        made = Guard(connect, {"a": "b"}, lambda: connection, FakeStop())
        made.closed = closed
        clock.now += 100
        return made

    return guard


def test_connector_that_delivers_is_healthy_and_left_alone(make):
    connect = FakeConnect(RUNNING)
    guard = make(connect, GOOD)
    guard.look()
    assert guard.healthy
    assert connect.done == []
    assert guard.closed == [True]


def test_connector_that_is_not_there_is_registered_with_its_configuration(make):
    connect = FakeConnect(Status("ABSENT", ()))
    make(connect, SlotState("absent", False, 0, None)).look()
    assert connect.done == [("register", {"a": "b"})]


def test_failed_task_is_restarted_and_the_guard_says_unhealthy(make, caplog):
    connect = FakeConnect(FAILED)
    guard = make(connect, GOOD)
    guard.look()
    assert connect.done == [("restart", True)]
    assert not guard.healthy
    assert [record.trace for record in caplog.records] == ["slot is gone"]


def test_silent_connector_is_restarted_as_a_whole(make):
    connect = FakeConnect(RUNNING)
    make(connect, SlotState("reserved", True, 0, 120.0)).look()
    assert connect.done == [("restart", False)]


def test_slot_is_measured_while_connect_is_away(make):
    """That is when WAL piles up, and an alarm needs to see it."""

    class Away:
        done = []

        def status(self, _connector):
            raise ConnectUnavailable("connection refused")

    guard = make(Away(), SlotState("extended", False, 700_000_000, 50.0))
    with pytest.raises(ConnectUnavailable):
        guard.look()
    assert REGISTRY.get_sample_value("guard_slot_lag_bytes") == 700_000_000
    assert REGISTRY.get_sample_value("guard_heartbeat_age_seconds") == 50.0


def test_slot_that_cannot_be_decoded_is_rebuilt_because_no_restart_helps(make, caplog):
    connect = FakeConnect(FAILED, Status("STOPPED", ()))
    make(connect, GOOD, unreadable="no such publication").look()
    assert connect.done == ["stop", "forget", "drop", "resume"]
    assert caplog.records[0].unreadable == "no such publication"


def test_slot_is_kept_while_the_publication_is_missing(make):
    """It may be made again before any row changes; until then nothing can be captured anyway."""
    connect = FakeConnect(FAILED)
    make(connect, SlotState("reserved", True, 0, 1.0, published=False), unreadable="no such publication").look()
    assert connect.done == [("restart", True)]


def test_remedy_that_does_not_help_is_repeated_ever_more_rarely(make, clock):
    connect = FakeConnect(FAILED)
    guard = make(connect, GOOD)
    for _ in range(600):
        guard.look()
        clock.now += 1
    assert 5 <= len(connect.done) <= 12


def test_lost_slot_is_rebuilt_step_by_step_in_the_order_that_can_be_repeated(make):
    connect = FakeConnect(FAILED, Status("STOPPED", ("RUNNING",)), Status("STOPPED", ()))
    make(connect, LOST).look()
    assert connect.done == ["stop", "forget", "drop", "resume"]


def test_offsets_are_never_forgotten_while_a_task_still_runs(make, clock):
    connect = FakeConnect(FAILED, RUNNING)
    guard = make(connect, LOST)

    def wait(seconds):
        clock.now += seconds
        return False

    guard._stop.wait = wait
    with pytest.raises(ConnectUnavailable, match="did not stop"):
        guard.look()
    assert connect.done == ["stop"]
    assert guard.closed == [True]


def test_missing_slot_of_a_new_connector_is_not_rebuilt(make):
    connect = FakeConnect(Status("UNASSIGNED", ()))
    make(connect, SlotState("absent", False, 0, None)).look()
    assert connect.done == []


def test_missing_slot_of_a_connector_with_offsets_is_rebuilt(make):
    connect = FakeConnect(FAILED, Status("STOPPED", ()))
    connect.offsets = True
    make(connect, SlotState("absent", False, 0, 3.0)).look()
    assert connect.done == ["stop", "forget", "drop", "resume"]
