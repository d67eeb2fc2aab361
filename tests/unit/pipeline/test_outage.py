import logging

import pytest

from pipeline.outage import LOG_EVERY_SECONDS, Outage

log = logging.getLogger("pipeline.test_outage")


@pytest.fixture
def outage(clock, caplog):
    caplog.set_level(logging.INFO, "pipeline.test_outage")
    return Outage("cassandra", log, clock)


def logged(caplog):
    return [record.getMessage() for record in caplog.records]


def test_first_failure_is_logged_at_once_with_error_and_next_try(outage, caplog):
    outage.failed(OSError("refused\n"), 0.512)
    (record,) = caplog.records
    assert record.getMessage() == "cassandra_unavailable"
    assert record.levelno == logging.WARNING
    assert (record.attempts, record.next_try_s, record.error) == (1, 0.5, "refused")


def test_outage_is_logged_every_thirty_seconds_and_not_in_between(outage, caplog, clock):
    for _ in range(121):
        outage.failed(OSError("refused"), 1)
        clock.now += 1
    assert LOG_EVERY_SECONDS == 30
    assert logged(caplog) == ["cassandra_unavailable"] * 5
    assert [record.attempts for record in caplog.records] == [1, 31, 61, 91, 121]


def test_recovery_is_one_line_with_duration_and_attempts(outage, caplog, clock):
    for _ in range(3):
        outage.failed(OSError("refused"), 1)
        clock.now += 14.04
    outage.over()
    outage.over()
    assert logged(caplog).count("cassandra_recovered") == 1
    record = caplog.records[-1]
    assert record.levelno == logging.INFO
    assert (record.down_s, record.attempts) == (42.1, 3)


def test_success_without_an_outage_logs_nothing(outage, caplog):
    outage.over()
    assert logged(caplog) == []


def test_second_outage_counts_and_logs_from_the_beginning(outage, caplog, clock):
    outage.failed(OSError("refused"), 1)
    outage.over()
    clock.now += 1
    outage.failed(OSError("reset"), 1)
    assert logged(caplog) == ["cassandra_unavailable", "cassandra_recovered", "cassandra_unavailable"]
    assert caplog.records[-1].attempts == 1
