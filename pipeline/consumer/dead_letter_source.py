"""The dead-letter topic as a source of records: from the first letter that was not replayed yet to
the last one there is now. Knows kafka-python; knows nothing of what is done with the records."""

import time
from collections.abc import Iterable, Iterator, Mapping

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.structs import OffsetAndMetadata

from pipeline import kafka_connection
from pipeline.changes import Change
from pipeline.consumer.dead_letters import MAX_LETTER_BYTES, VERSION, origin, topic_name
from pipeline.settings import Settings
from pipeline.stream.record_source import Mark, Records


class LetterVersions:
    """A letter's row keeps the version that it had when it was rejected; a letter from before
    versions were stored has that of its commit time."""

    lease = 0

    def of(self, _partition: TopicPartition) -> "LetterVersions":
        return self

    def stamp(self, record: ConsumerRecord, change: Change) -> Change:
        version_us = dict(record.headers).get(VERSION)
        return change if version_us is None else change._replace(version_us=int(version_us))

    def saved(self) -> str:
        return ""

    def emptied(self, topic: str, commit_us: int) -> None:
        """Versions that were given do not change any more."""


class DeadLetterSource:
    """A RecordSource that ends where the topic ended at the start: dead letters that the replay
    itself sends lie after that. The replay's progress is the offset of a consumer group of its
    own."""

    def __init__(self, settings: Settings) -> None:
        self.versions = LetterVersions()
        self._prefix = f"{settings.TOPIC_PREFIX}.public."
        self._consumer = kafka_connection.consumer(
            settings,
            group_id=f"{settings.CONSUMER_GROUP}-dead-letters",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # Room for the largest letter: less makes one request per letter.
            max_partition_fetch_bytes=2 * MAX_LETTER_BYTES,
            fetch_max_bytes=4 * MAX_LETTER_BYTES,
        )
        topic = topic_name(settings)
        exists = topic in self._consumer.topics()
        partitions = [TopicPartition(topic, n) for n in self._consumer.partitions_for_topic(topic)] if exists else []
        self._consumer.assign(partitions)
        self._ends: dict[TopicPartition, int] = self._consumer.end_offsets(partitions) if partitions else {}
        self._committed = {partition: self._consumer.position(partition) for partition in partitions}

    @property
    def exhausted(self) -> bool:
        return all(self._committed[partition] >= end for partition, end in self._ends.items())

    def table_of(self, record: ConsumerRecord) -> str:
        return origin(record).topic.removeprefix(self._prefix)

    def follow(self, tables: Iterable[str]) -> frozenset[str]:
        """Dead letters of all tables are in one topic: nothing to subscribe to."""
        return frozenset(tables)

    def poll(self, timeout_seconds: float) -> Records:
        """The next letters; empty when there are no more."""
        polled = self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))
        letters = {
            partition: [record for record in records if record.offset < self._ends[partition]]
            for partition, records in polled.items()
        }
        return {partition: records for partition, records in letters.items() if records}

    def hold(self, seconds: float) -> None:
        """No group to stay in: partitions are assigned by hand."""
        time.sleep(seconds)

    def resume(self) -> None:
        """Nothing was paused."""

    def commit(self, marks: Mapping[TopicPartition, Mark]) -> bool:
        offsets = {partition: mark.next_offset for partition, mark in marks.items()}
        self._committed |= offsets
        self._consumer.commit({tp: OffsetAndMetadata(offset, "", -1) for tp, offset in offsets.items()})
        return True

    def lag_records(self, fetch_ends: bool = False) -> dict[TopicPartition, int]:
        return {}

    def emptied(self, table: str, commit_us: int) -> None:
        """Versions that were given do not change any more."""

    def ends(self, table: str) -> dict[int, int]:
        return {}

    def is_read(self, table: str, ends: Mapping[int, int]) -> bool:
        """Every dead letter is older than what the group has read."""
        return True

    def letters(self) -> Iterator[ConsumerRecord]:
        """Every letter that was not replayed yet; listing them does not count as a replay."""
        while any(self._consumer.position(partition) < end for partition, end in self._ends.items()):
            for records in self._consumer.poll(timeout_ms=1000).values():
                yield from records

    def close(self) -> None:
        self._consumer.close(autocommit=False)
