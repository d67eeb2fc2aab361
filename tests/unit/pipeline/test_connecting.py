import logging

import pytest
from kafka.errors import KafkaTimeoutError

from pipeline.connecting import until_connected
from pipeline.errors import BadSetting, StoreUnavailable
from tests.unit.support.clocks import FakeStop


def connecting(*outcomes):
    replies = iter(outcomes)

    def connect():
        reply = next(replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return connect


def test_dependency_that_is_late_is_waited_for_with_growing_pauses():
    stop = FakeStop()
    connect = connecting(StoreUnavailable("no"), KafkaTimeoutError("no"), StoreUnavailable("no"), "session")
    errors = (StoreUnavailable, KafkaTimeoutError)
    assert until_connected("cassandra", connect, stop, retry_on=errors) == "session"
    assert len(stop.waits) == 3
    assert stop.waits[0] < stop.waits[1] < stop.waits[2] <= 10


def test_stop_ends_the_wait_without_a_connection():
    stop = FakeStop(after_waits=2)
    connect = connecting(*[StoreUnavailable("no")] * 5)
    assert until_connected("cassandra", connect, stop, retry_on=StoreUnavailable) is None
    assert len(stop.waits) == 2


def test_error_that_waiting_cannot_cure_is_raised_without_waiting():
    stop = FakeStop()
    with pytest.raises(BadSetting):
        until_connected("cassandra", connecting(BadSetting("PGPORT")), stop, retry_on=StoreUnavailable)
    assert stop.waits == []


def test_outage_is_logged_once_and_so_is_its_end(caplog):
    caplog.set_level(logging.INFO, "pipeline.connecting")
    connect = connecting(*[StoreUnavailable("refused")] * 4, "session")
    until_connected("cassandra", connect, FakeStop(), retry_on=StoreUnavailable)
    assert [record.getMessage() for record in caplog.records] == [
        "cassandra_unavailable",
        "cassandra_recovered",
        "cassandra_connected",
    ]


def within(seconds, connect, stop, clock):
    return until_connected(
        "cassandra",
        connect,
        stop,
        retry_on=StoreUnavailable,
        max_wait_seconds=seconds,
        max_pause_seconds=0.5,
        clock=clock,
    )


def test_server_that_comes_up_before_the_deadline_is_waited_for(clock):
    stop = FakeStop(clock=clock)
    connect = connecting(StoreUnavailable("starting"), StoreUnavailable("starting"), "session")
    assert within(10, connect, stop, clock) == "session"
    assert len(stop.waits) == 2


def test_server_that_never_comes_up_ends_with_its_error_at_the_deadline(clock):
    stop = FakeStop(clock=clock)

    def connect():
        raise StoreUnavailable("refused")

    with pytest.raises(StoreUnavailable, match="refused"):
        within(3, connect, stop, clock)
    assert sum(stop.waits) == pytest.approx(3)
    assert max(stop.waits) <= 0.5


def test_error_that_waiting_cannot_cure_is_raised_at_once_before_the_deadline(clock):
    stop = FakeStop(clock=clock)
    with pytest.raises(BadSetting):
        within(3, connecting(BadSetting("PGPORT")), stop, clock)
    assert stop.waits == []
