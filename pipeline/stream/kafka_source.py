"""The Kafka side: records of the captured tables' topics, offsets, membership. Knows kafka-python;
knows nothing of what a record holds or of the store that it goes to."""

import logging
import time
from collections.abc import Iterable, Mapping, Set

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from kafka.structs import OffsetAndMetadata

from pipeline.settings import Settings
from pipeline.stream import kafka_offsets
from pipeline.stream.before_the_end import last_records, state_after
from pipeline.stream.fetch_wait import fetch_wait
from pipeline.stream.followed_topics import FollowedTopics
from pipeline.stream.group_member import IDLE_WAIT_MS, group_member
from pipeline.stream.kafka_internals import keep_joining, topic_id, wait_for_records
from pipeline.stream.kafka_offsets import Bounds
from pipeline.stream.lost_records import report_lost
from pipeline.stream.rebalances import Rebalances
from pipeline.stream.record_source import Mark, Records
from pipeline.stream.row_versions import RowVersions

log = logging.getLogger(__name__)

# How soon a table is followed once it is captured.
FOLLOW_INTERVAL_SECONDS = 5.0
JOIN_SECONDS = 1.0
COMMIT_TIMEOUT_SECONDS = 10


class KafkaSource:
    """One member of the consumer group; a RecordSource that never ends. One thread only: rebalances
    happen inside `poll` and `hold`. Records that were returned before may still be written then;
    `commit` leaves out those of partitions that another consumer had since."""

    exhausted = False

    def __init__(self, settings: Settings, group: str, from_end: bool = False) -> None:
        """`from_end`: each partition is read from its end when this process first gets it, and from
        the committed offset when it comes back after a rebalance. What was before is not wanted."""
        self._settings = settings
        self._from_end = from_end
        self._started: set[TopicPartition] = set()
        self._followed = FollowedTopics(f"{settings.TOPIC_PREFIX}.public.")
        self._last_follow = float("-inf")
        # What is written and Kafka has not accepted yet.
        self._pending: dict[TopicPartition, Mark] = {}
        # The last mark that Kafka has accepted.
        self._accepted: dict[TopicPartition, Mark] = {}
        # The offset after the last record that `poll` has returned.
        self._returned: dict[TopicPartition, int] = {}
        self.versions = RowVersions(self._committed_state)
        self._rebalances = Rebalances()
        self._consumer = group_member(settings, group, int(FOLLOW_INTERVAL_SECONDS * 1000))

    def table_of(self, record: ConsumerRecord | TopicPartition) -> str:
        return self._followed.table_of(record.topic)

    def follow(self, tables: Iterable[str]) -> frozenset[str]:
        """Subscribe to the topics of those `tables` that are captured. A table without a topic, or
        a topic without a table, is followed as soon as the other appears, from its first record.
        Returns the followed tables."""
        now = time.monotonic()
        if now - self._last_follow >= FOLLOW_INTERVAL_SECONDS:
            self._last_follow = now
            listed = self._consumer.topics()
            self._restart_recreated()
            if self._followed.update(tables, listed, now):
                self._subscribe(list(self._followed.tables))
                self._restart_recreated()  # learns the ids of the new topics
        return frozenset(self._followed.tables.values())

    def _subscribe(self, topics: list[str]) -> None:
        if topics:
            self._consumer.subscribe(topics=topics, listener=self._rebalances)
        else:
            self._consumer.unsubscribe()
            self._forget_others(frozenset())
        log.info("topics_followed", extra={"topics": ",".join(topics)})

    def _restart_recreated(self) -> None:
        """A topic that was deleted and created again is read from its start, also when it has as
        many records by now as had been read of the old one."""
        ids = {topic: topic_id(self._consumer, topic) for topic in self._followed.tables}
        for topic in self._followed.recreated(ids):
            log.warning("topic_recreated", extra={"topic": topic})
            partitions = {partition for partition in self.assigned() if partition.topic == topic}
            self._forget_others(self.assigned() - partitions)
            if partitions:
                self._consumer.seek_to_beginning(*partitions)

    def _apply_rebalances(self) -> None:
        while self._rebalances.owned:
            self._forget_others(self._rebalances.owned.popleft())

    def _forget_others(self, owned: Set[TopicPartition]) -> None:
        """Nothing of a partition that is another consumer's now may be used when it comes back."""
        self.versions.keep(owned)
        self._pending = {key: mark for key, mark in self._pending.items() if key in owned}
        self._accepted = {key: mark for key, mark in self._accepted.items() if key in owned}
        self._returned = {key: offset for key, offset in self._returned.items() if key in owned}

    def assigned(self) -> set[TopicPartition]:
        """The Kafka partitions that belong to this member now."""
        return self._consumer.assignment()

    def poll(self, timeout_seconds: float) -> Records:
        """The next records per Kafka partition, in order; empty when none came in time."""
        if not self._followed.tables:
            return {}
        records = self._poll(timeout_seconds)
        wait_for_records(self._consumer, *fetch_wait(sum(map(len, records.values())), IDLE_WAIT_MS))
        self._apply_rebalances()
        try:
            if self._from_end:
                records = self._without_backlog(records)
            for partition in records:
                self.versions.of(partition)
        except KafkaError:  # read them again: their versions cannot be known now
            self._seek_back(records)
            raise
        self._returned |= {partition: taken[-1].offset + 1 for partition, taken in records.items()}
        if not records:
            self._commit_when_idle()
        return records

    def _without_backlog(self, records: Records) -> Records:
        """Move partitions that are new to this process to their end, and commit that, so that
        nothing after it is left out when a rebalance follows before the first record."""
        new = self.assigned() - self._started
        if not new:
            return records
        ends = kafka_offsets.ends_of(self._consumer, new)
        for partition, end in ends.items():
            self._consumer.seek(partition, end)
        self._started |= ends.keys()
        self.commit({partition: Mark(end, "", self.versions.of(partition).lease) for partition, end in ends.items()})
        return {partition: taken for partition, taken in records.items() if partition not in ends}

    def _poll(self, timeout_seconds: float) -> Records:
        # A join must end within a poll: one that ends between two polls is started again.
        if keep_joining(self._consumer):
            timeout_seconds = max(timeout_seconds, JOIN_SECONDS)
        try:
            return self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))
        except NoOffsetForPartitionError as error:  # new to the group
            self._consumer.seek_to_beginning(*error.args[0])
        except OffsetOutOfRangeError as error:
            self._seek_after_lost(error.args[0])
        except LogTruncationError as error:
            self._seek_after_truncation(error)
        return {}

    def _seek_after_lost(self, positions: dict[TopicPartition, int]) -> None:
        """Go on with the first record that Kafka still has; what is missing is reported, unless it
        is not wanted anyway."""
        if self._from_end:
            self._consumer.seek_to_end(*positions.keys() & self.assigned())
            return
        bounds = self.bounds(positions)
        for partition in positions.keys() & self.assigned():
            first, end = bounds[partition]
            report_lost(partition, positions[partition], first, end)
            self._accepted.pop(partition, None)  # a topic that was made again starts with small offsets
            self._consumer.seek(partition, first)

    def _seek_after_truncation(self, error: LogTruncationError) -> None:
        """Kafka's own log is shorter than what was read of it (a broker without the last records
        took over): go on where the two logs part."""
        for partition, parting in error.divergent_offsets.items():
            log.warning("kafka_log_truncated", extra={"topic": partition.topic, "partition": partition.partition})
            self._accepted.pop(partition, None)
            if parting is None:
                self._consumer.seek_to_beginning(partition)
            else:
                self._consumer.seek(partition, parting.offset)

    def _committed_state(self, partition: TopicPartition) -> str:
        committed = self._consumer.committed(partition, metadata=True, timeout_ms=kafka_offsets.TIMEOUT_MS)
        return "" if committed is None else committed.metadata or ""

    def _seek_back(self, records: Records) -> None:
        for partition in records.keys() & self.assigned():
            self._consumer.seek(partition, records[partition][0].offset)

    def hold(self, seconds: float) -> None:
        """Stay in the group for `seconds` without taking records. Partitions that a rebalance
        brings meanwhile are not paused yet: the position goes back to before what they deliver."""
        deadline = time.monotonic() + seconds
        while True:
            self._consumer.pause(*self.assigned())
            remaining = deadline - time.monotonic()
            self._seek_back(self._poll(max(0.0, min(remaining, 1))))
            if remaining <= 0:
                return

    def resume(self) -> None:
        self._consumer.resume(*self._consumer.paused())

    def commit(self, marks: Mapping[TopicPartition, Mark]) -> bool:
        """Commit the offsets to read next. False when Kafka does not accept them now (a rebalance):
        the rows are written, so at worst they are written again, which changes nothing. They stay
        pending; the next poll without records or `close` retries the commit, so that the group's
        lag is right even when no more records come. What was taken before a partition went to
        another consumer is not committed any more: the other one may be further."""
        self._apply_rebalances()
        is_first_failure = not self._pending
        assigned = self.assigned()
        self._pending |= {
            partition: mark
            for partition, mark in marks.items()
            if partition in assigned and self.versions.is_current(partition, mark.lease)
        }
        offsets = {
            partition: OffsetAndMetadata(mark.next_offset, mark.state, -1) for partition, mark in self._pending.items()
        }
        try:
            if offsets:
                self._consumer.commit(offsets, timeout_ms=COMMIT_TIMEOUT_SECONDS * 1000)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            if is_first_failure:
                log.warning("commit_failed", extra={"error": f"{type(error).__name__}: {error}"})
            return False
        self._accepted |= self._pending
        self._pending.clear()
        return True

    def _commit_when_idle(self) -> None:
        """What Kafka did not accept before; and offsets of records that no consumer gets to see
        (aborted transactions, marks of the end of a transaction), so that the group's lag is 0 at
        the end. Not while records that were returned are still to be written."""
        passed = {}
        try:
            for partition in self._accepted.keys() & self.assigned() - self._pending.keys():
                mark = self._accepted[partition]
                if mark.next_offset < self._returned.get(partition, 0):
                    continue
                position = self.next_offset(partition)
                if position is not None and position > mark.next_offset:
                    passed[partition] = mark._replace(next_offset=position)
        except KafkaError as error:  # a partition has no position yet: the next poll gives it one
            log.debug("position_unknown", extra={"error": f"{type(error).__name__}: {error}"})
        if self._pending or passed:
            self.commit(passed)

    def emptied(self, table: str, commit_us: int) -> None:
        """The table was truncated at this time: a later snapshot of it is newer."""
        self.versions.emptied(self._followed.of(table), commit_us)

    def ends(self, table: str) -> dict[int, int]:
        """The end offset of each Kafka partition of the table's topic."""
        ends = self.ends_of(kafka_offsets.partitions_of_topic(self._consumer, self._followed.of(table)))
        return {partition.partition: end for partition, end in ends.items()}

    def is_read(self, table: str, ends: Mapping[int, int]) -> bool:
        """Whether the whole group has committed the table's records before `ends`."""
        topic = self._followed.of(table)
        return all(
            kafka_offsets.is_committed(self._consumer, TopicPartition(topic, number), end)
            for number, end in ends.items()
        )

    def restart(self, partition: TopicPartition, offset: int, state: str = "") -> int:
        """For a store that remembers itself how far it is: read a partition of this member from
        there, with the versions as they were there (`Mark.state`). Returns the lease of its
        versions."""
        self._apply_rebalances()
        self._consumer.seek(partition, offset)
        for known in (self._pending, self._accepted, self._returned):
            known.pop(partition, None)
        return self.versions.restart(partition, state)

    def states_at(self, ends: Mapping[TopicPartition, Bounds]) -> dict[TopicPartition, str]:
        """The state of the versions (`Mark.state`) for a store that begins at the end of these
        partitions. Raises KafkaError."""
        found = last_records(self._settings, ends)
        return {partition: state_after(self.table_of(partition), found.get(partition, ())) for partition in ends}

    def next_offset(self, partition: TopicPartition) -> int | None:
        """The offset that the next poll begins with; None if it is not known yet."""
        return kafka_offsets.position_of(self._consumer, partition)

    def partitions_of(self, tables: Iterable[str]) -> set[TopicPartition]:
        """Every Kafka partition of those tables that are followed."""
        topics = self._followed.tables.keys() & {self._followed.of(table) for table in tables}
        return {each for topic in topics for each in kafka_offsets.partitions_of_topic(self._consumer, topic)}

    def bounds(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Bounds]:
        return kafka_offsets.bounds_of(self._consumer, partitions)

    def ends_of(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Asked of Kafka now."""
        return kafka_offsets.ends_of(self._consumer, partitions)

    def lag_records(self, fetch_ends: bool = False) -> dict[TopicPartition, int]:
        """Records not yet taken, per assigned partition whose end is known. `fetch_ends`: for while
        partitions are paused. Raises KafkaError."""
        return kafka_offsets.lags_of(self._consumer, self.assigned(), fetch_ends)

    def close(self) -> None:
        """Leave the group, so that the other members take over at once."""
        if self._pending:
            self.commit({})
        self._consumer.close(autocommit=False, timeout_ms=5000)
