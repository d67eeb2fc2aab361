import pytest

from pipeline.producer.gate import Gate


@pytest.fixture
def gate(clock):
    return Gate(clock)


def test_gate_is_open_until_somebody_is_told_to_wait(gate):
    assert gate.closed_seconds() == 0


def test_ban_lasts_as_long_as_told_and_then_ends(gate, clock):
    gate.close(120)
    assert gate.closed_seconds() == 120
    clock.now += 119
    assert gate.closed_seconds() == pytest.approx(1)
    clock.now += 1
    assert gate.closed_seconds() == 0
    clock.now += 1000
    assert gate.closed_seconds() == 0


def test_shorter_ban_never_ends_a_longer_one(gate, clock):
    gate.close(300)
    clock.now += 10
    gate.close(5)
    assert gate.closed_seconds() == 290


def test_longer_ban_replaces_a_shorter_one(gate, clock):
    gate.close(5)
    clock.now += 1
    gate.close(60)
    assert gate.closed_seconds() == 60


def test_gate_of_a_machine_that_has_just_started_is_open():
    assert Gate(lambda: 0.001).closed_seconds() == 0


def test_requests_go_one_at_a_time_until_one_is_answered(gate, clock):
    assert gate.one_at_a_time
    assert not gate.answered(gate.closings)
    assert not gate.one_at_a_time
    gate.close(5)
    clock.now += 6
    assert gate.one_at_a_time
    assert gate.answered(gate.closings)
    assert not gate.one_at_a_time


def test_answer_to_a_request_from_before_the_ban_proves_nothing(gate):
    before = gate.closings
    gate.close(5)
    assert not gate.answered(before)
    assert gate.one_at_a_time
