"""Kafka's offsets of partitions, asked of Kafka at the moment of the call. Every function raises
KafkaError. Knows nothing of what is followed or of who owns a partition."""

from collections.abc import Iterable
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition

TIMEOUT_MS = 10_000
POSITION_TIMEOUT_MS = 1000


class Bounds(NamedTuple):
    """The first record that Kafka has of a partition, and where the next one will be."""

    first: int
    end: int


def partitions_of_topic(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """Empty if there is no such topic."""
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


def firsts_of(consumer: KafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    wanted = list(partitions)
    return dict(consumer.beginning_offsets(wanted, TIMEOUT_MS)) if wanted else {}


def ends_of(consumer: KafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    wanted = list(partitions)
    return dict(consumer.end_offsets(wanted, TIMEOUT_MS)) if wanted else {}


def bounds_of(consumer: KafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Bounds]:
    wanted = list(partitions)
    firsts, ends = firsts_of(consumer, wanted), ends_of(consumer, wanted)
    return {partition: Bounds(firsts[partition], ends[partition]) for partition in wanted}


def committed_of(consumer: KafkaConsumer, partition: TopicPartition) -> int:
    """Where the group goes on; 0 if it has committed nothing."""
    return consumer.committed(partition, timeout_ms=TIMEOUT_MS) or 0


def is_committed(consumer: KafkaConsumer, partition: TopicPartition, end: int) -> bool:
    """Whether the group has committed everything before `end` that Kafka still has."""
    return committed_of(consumer, partition) >= end or firsts_of(consumer, [partition])[partition] >= end


def position_of(consumer: KafkaConsumer, partition: TopicPartition) -> int | None:
    """The offset that the next poll begins with; None if it is not known yet."""
    return consumer.position(partition, timeout_ms=POSITION_TIMEOUT_MS)


def lags_of(
    consumer: KafkaConsumer, partitions: Iterable[TopicPartition], fetch_ends: bool
) -> dict[TopicPartition, int]:
    """Records not yet taken, per partition whose end is known. The ends come with the records;
    `fetch_ends` requests them, because nothing is fetched while partitions are paused."""
    wanted = list(partitions)
    ends = ends_of(consumer, wanted) if fetch_ends else {}
    lags = {}
    for partition in wanted:
        end = ends.get(partition, consumer.highwater(partition))
        position = position_of(consumer, partition)
        if end is not None and position is not None:
            lags[partition] = max(0, end - position)
    return lags
