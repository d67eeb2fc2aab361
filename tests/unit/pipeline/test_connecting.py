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
    assert until_connected("cassandra", connect, stop) == "session"
    assert len(stop.waits) == 3
    assert stop.waits[0] < stop.waits[1] < stop.waits[2] <= 10


def test_stop_ends_the_wait_without_a_connection():
    stop = FakeStop(after_waits=2)
    assert until_connected("cassandra", connecting(*[StoreUnavailable("no")] * 5), stop) is None
    assert len(stop.waits) == 2


def test_error_that_waiting_cannot_cure_is_raised_without_waiting():
    stop = FakeStop()
    with pytest.raises(BadSetting):
        until_connected("cassandra", connecting(BadSetting("PGPORT")), stop)
    assert stop.waits == []


def test_wait_is_said_once_and_its_end_is_said(caplog):
    caplog.set_level(logging.INFO, "pipeline.connecting")
    until_connected("cassandra", connecting(*[StoreUnavailable("refused")] * 4, "session"), FakeStop())
    assert [record.getMessage() for record in caplog.records] == [
        "cassandra_unavailable",
        "cassandra_recovered",
        "cassandra_connected",
    ]
