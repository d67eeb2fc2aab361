"""The dead-letter topic as a source of records, from the first that was not replayed yet to the
last there is now. Knows kafka-python; what is done with the records is the loop's business."""

import time
from collections.abc import Iterable, Iterator

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.structs import OffsetAndMetadata

from pipeline.consumer.dead_letters import origin, topic_name
from pipeline.consumer.kafka_source import Records
from pipeline.settings import Settings
from pipeline.stopping import Stop


class DeadLetterSource:
    """Stands in for a KafkaSource. Requests `stop` when the end is reached: letters that the replay
    itself sends lie after it. What was replayed is remembered as the offset of a consumer group of
    its own."""

    def __init__(self, settings: Settings, stop: Stop) -> None:
        self._stop = stop
        self._prefix = f"{settings.TOPIC_PREFIX}.public."
        self._consumer = KafkaConsumer(
            bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS),
            group_id=f"{settings.CONSUMER_GROUP}-dead-letters",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        topic = topic_name(settings)
        there = topic in self._consumer.topics()
        partitions = [TopicPartition(topic, n) for n in self._consumer.partitions_for_topic(topic)] if there else []
        self._consumer.assign(partitions)
        self._ends: dict[TopicPartition, int] = self._consumer.end_offsets(partitions) if partitions else {}
        self._done = {partition: self._consumer.position(partition) for partition in partitions}
        self.replayed = 0

    def table_of(self, record: ConsumerRecord) -> str:
        return origin(record).topic.removeprefix(self._prefix)

    def follow(self, tables: Iterable[str]) -> frozenset[str]:
        return frozenset(tables)

    def poll(self, timeout_seconds: float) -> Records:
        """The next letters; empty when there are no more, and `stop` requested when the last one is
        committed: until then an outage of the store is waited for, as always."""
        if all(self._done[partition] >= end for partition, end in self._ends.items()):
            self._stop.set()
            return {}
        found = self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))
        within = {tp: [r for r in records if r.offset < self._ends[tp]] for tp, records in found.items()}
        return {partition: records for partition, records in within.items() if records}

    def hold(self, seconds: float) -> None:
        """No group to stay in: partitions are assigned by hand."""
        time.sleep(seconds)

    def resume(self) -> None:
        """Nothing was paused."""

    def commit(self, next_offsets: dict[TopicPartition, int]) -> bool:
        self.replayed += sum(offset - self._done[partition] for partition, offset in next_offsets.items())
        self._done |= next_offsets
        self._consumer.commit({tp: OffsetAndMetadata(offset, "", -1) for tp, offset in next_offsets.items()})
        return True

    def lag_records(self, fetch_ends: bool = False) -> dict[TopicPartition, int]:
        return {}

    def letters(self) -> Iterator[ConsumerRecord]:
        """Every letter that was not replayed yet, without taking note of it."""
        while any(self._consumer.position(partition) < end for partition, end in self._ends.items()):
            for records in self._consumer.poll(timeout_ms=1000).values():
                yield from records

    def close(self) -> None:
        self._consumer.close(autocommit=False)
