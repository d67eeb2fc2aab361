import pytest

from debezium.flow import FlowWatch
from debezium.topics import TopicsState

GAP = 30.0
TABLES = frozenset({"orders", "debezium_heartbeat"})


@pytest.fixture
def watch(clock):
    return FlowWatch(clock, GAP)


@pytest.fixture
def look(watch):
    """`look(end, "orders")`: one round that finds these topics and this end of the heartbeats."""
    return lambda end, *tables: watch.seen(TopicsState(frozenset(tables or TABLES), end), TABLES)


def test_heartbeats_of_before_the_start_are_no_sign_of_flow(look):
    assert look(500).flowing_seconds is None


def test_flow_begins_with_the_first_heartbeat_that_arrives(look, clock):
    look(500)
    clock.now += 5
    flow = look(501)
    assert (flow.silent_seconds, flow.flowing_seconds) == (0.0, 0.0)
    clock.now += 5
    assert look(501).silent_seconds == 5.0
    assert look(502).flowing_seconds == 5.0


def test_silence_is_counted_from_the_start_before_the_first_heartbeat(look, clock):
    clock.now += 40
    assert look(0).silent_seconds == 40.0


def test_age_counts_from_the_last_heartbeat_whatever_was_done_meanwhile(look, clock, watch):
    look(1)
    look(2)
    clock.now += 50
    watch.judge_from_now()
    watch.pause()
    assert watch.heartbeat_age_seconds() == 50.0
    assert look(2).silent_seconds == 0.0


def test_flow_with_a_gap_begins_again(look, clock):
    look(1)
    look(2)
    clock.now += GAP + 1
    assert look(2).flowing_seconds is None
    clock.now += 5
    assert look(3).flowing_seconds == 0.0


def test_flow_after_a_remedy_begins_again(look, clock, watch):
    look(1)
    look(2)
    clock.now += 20
    watch.judge_from_now()
    assert look(2).flowing_seconds is None
    assert look(3).flowing_seconds == 0.0


def test_heartbeat_topic_that_was_created_again_flows_with_its_next_record(look, clock):
    look(500)
    look(0)
    clock.now += 5
    assert look(1).flowing_seconds == 0.0


def test_topic_that_vanishes_is_reported_until_a_remedy(look, watch):
    look(1, "orders", "debezium_heartbeat")
    assert look(2, "debezium_heartbeat").deleted_topics == ("orders",)
    assert look(3, "debezium_heartbeat").deleted_topics == ("orders",)
    watch.judge_from_now()
    assert look(4, "debezium_heartbeat").deleted_topics == ()


def test_topic_of_a_table_that_is_no_longer_captured_may_vanish(look):
    look(1, "orders", "former")
    assert look(2, "orders").deleted_topics == ()
