from collections import namedtuple

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError
from prometheus_client import REGISTRY

from pipeline.changes import Change
from pipeline.consumer.poll import Poll
from pipeline.consumer.progress_report import LAG_EVERY_SECONDS, ProgressReport
from pipeline.consumer.writer import Pending
from tests.unit.support.clocks import FakeClock

Record = namedtuple("Record", "topic")
PARTITION = TopicPartition("crypto.public.report", 0)
COMMIT_US = 1_795_461_947_123_456


class FakeSource:
    def __init__(self):
        self.asked = []
        self.error = None

    def table_of(self, record):
        return record.topic.removeprefix("crypto.public.")

    def lag_records(self, fetch_ends=False):
        self.asked.append(fetch_ends)
        if self.error:
            raise self.error
        return {PARTITION: 7}


@pytest.fixture
def source():
    return FakeSource()


@pytest.fixture
def report(source):
    return ProgressReport(source)


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_delay_ends_when_cassandra_confirmed_and_not_when_it_was_noticed(report):
    change = Change("report", False, {}, COMMIT_US, COMMIT_US)
    poll = Poll({}, [], changes=[(0, change), (1, change._replace(commit_us=0))])
    written = Pending([], confirmed=[("report", 3), ("report", 4)], finished_us=COMMIT_US + 250_000)
    report.written(poll, written)
    assert value("consumer_end_to_end_seconds_count", table="report") == 1, "a row of a snapshot has no delay"
    assert value("consumer_end_to_end_seconds_sum", table="report") == pytest.approx(0.25)
    assert value("consumer_rows_written_total", table="report") == 7
    assert value("consumer_batches_written_total", table="report") == 2


def test_records_count_once_they_are_committed(report):
    before = value("consumer_records_total", table="report")
    report.committed([Poll({PARTITION: [Record(PARTITION.topic)] * 3}, [None] * 3)])
    assert value("consumer_records_total", table="report") == before + 3


def test_lag_is_asked_for_now_and_then_and_an_error_of_kafka_is_left_to_the_loop(source):
    clock = FakeClock()
    report = ProgressReport(source, clock)
    for _ in range(3):
        report.lag_if_due()
    assert source.asked == [False]
    clock.sleep(LAG_EVERY_SECONDS)
    source.error = KafkaTimeoutError("no broker")
    report.lag_if_due()
    report.lag(fetch_ends=True)
    assert source.asked == [False, False, True]
