"""What kafka_internals.py relies on, compared with the installed library: a new version that
changes it fails here and not in production."""

from importlib.metadata import version
from types import SimpleNamespace

import pytest
from kafka import KafkaConsumer, TopicPartition

from pipeline.stream.fetched_records import FetchedRecords
from pipeline.stream.kafka_internals import READ_IN_VERSION, decode_quickly, keep_joining, wait_for_records


def test_installed_library_is_the_one_that_was_read():
    assert ".".join(version("kafka-python").split(".")[:2]) == READ_IN_VERSION


@pytest.fixture
def kafka_consumer():
    """A member of a group that has not connected to any broker."""
    consumer = KafkaConsumer(bootstrap_servers="127.0.0.1:1", group_id="group", api_version=(4, 0))
    yield consumer
    consumer.close(autocommit=False, timeout_ms=0)


def test_member_that_is_not_joining_is_left_alone(kafka_consumer):
    coordinator = kafka_consumer._coordinator
    coordinator.rejoin_needed = False
    assert keep_joining(kafka_consumer) is False
    assert coordinator.rejoin_needed is False


def test_join_under_way_is_still_needed(kafka_consumer):
    coordinator = kafka_consumer._coordinator
    kafka_consumer.subscribe(topics=["topic"])
    coordinator._joined_subscription = {"topic"}
    coordinator.rejoin_needed = False
    assert not coordinator.need_rejoin()
    coordinator.rejoining = True
    assert not coordinator.need_rejoin(), "kafka-python remembers the join by itself: keep_joining can go"
    assert keep_joining(kafka_consumer) is True
    assert coordinator.need_rejoin()


def test_next_fetch_waits_as_long_as_it_was_told(kafka_consumer, monkeypatch):
    partition = TopicPartition("topic", 0)
    kafka_consumer.assign([partition])
    kafka_consumer._subscription.seek(partition, 0)
    fetcher = kafka_consumer._fetcher
    monkeypatch.setattr(fetcher, "_select_read_replica", lambda _partition: 1)
    for wanted in ((65_536, 10), (1, 500)):
        wait_for_records(kafka_consumer, *wanted)
        [(request, _)] = fetcher._create_fetch_requests().values()
        assert (request.min_bytes, request.max_wait_ms) == wanted


def test_fetched_records_are_decoded_by_the_class_that_was_set(kafka_consumer):
    partition = TopicPartition("topic", 0)
    kafka_consumer.assign([partition])
    kafka_consumer._subscription.seek(partition, 0)
    decode_quickly(kafka_consumer)
    fields = {"error_code": 0, "high_watermark": 1, "last_stable_offset": 1, "log_start_offset": 0}
    data = SimpleNamespace(
        **fields, diverging_epoch=None, aborted_transactions=None, records=b"", preferred_read_replica=-1
    )
    fetch = SimpleNamespace(topic_partition=partition, fetched_offset=0, partition_data=data, metric_aggregator=None)
    assert type(kafka_consumer._fetcher._parse_fetched_data(fetch)) is FetchedRecords
