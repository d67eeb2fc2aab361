"""Progress as offsets: what counts since a snapshot was requested."""

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaError

from pipeline.mirroring import kafka_progress
from pipeline.mirroring.kafka_progress import KafkaProgress, KafkaUnavailable, Position


class FakeConsumer:
    """A topic with two partitions; `error` is raised instead of an answer."""

    def __init__(self, _settings: object, **_: object) -> None:
        self.ends = {0: 10, 1: 5}
        self.committed_offsets = {0: 7}
        self.error: Exception | None = None
        self.closed = False

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        if self.error is not None:
            raise self.error
        return set(self.ends) if topic == "crypto.public.orders" else None

    def end_offsets(self, partitions: list[TopicPartition], _timeout_ms: int) -> dict[TopicPartition, int]:
        return {each: self.ends[each.partition] for each in partitions}

    def committed(self, partition: TopicPartition, timeout_ms: int) -> int | None:
        return self.committed_offsets.get(partition.partition)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def made(monkeypatch, defaults):
    monkeypatch.setattr(kafka_progress.kafka_connection, "consumer", FakeConsumer)
    return lambda table: KafkaProgress(defaults, table)


def test_position_is_the_sum_of_the_partitions_and_a_partition_without_commit_counts_as_unread(made) -> None:
    assert made("orders").position() == Position(received=15, written=7)
    assert made("orders").position().pending == 8


def test_topic_that_does_not_exist_yet_is_empty(made) -> None:
    assert made("new").position() == Position(0, 0)


def test_only_records_after_the_start_are_counted() -> None:
    start = Position(received=100, written=90)
    assert Position(100, 95).since(start) == Position(0, 0)
    assert Position(150, 120).since(start) == Position(50, 20)


def test_kafka_that_does_not_answer_is_an_error_that_can_be_retried(made) -> None:
    progress = made("orders")
    progress._consumer.error = KafkaError("gone")
    with pytest.raises(KafkaUnavailable, match="gone"):
        progress.position()
    assert KafkaUnavailable.retriable
