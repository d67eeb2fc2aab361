"""The Kafka side: records of the captured tables' topics, offsets, membership. Knows kafka-python;
knows nothing of what is in a record or of Cassandra."""

import logging
import time
from collections.abc import Iterable

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import CommitFailedError, IllegalStateError, KafkaError
from kafka.structs import OffsetAndMetadata

from pipeline.consumer.driver_internals import keep_joining
from pipeline.settings import Settings

log = logging.getLogger(__name__)

# Enough rows for full batches; small enough that a poll is parsed and written within a second or
# so.
MAX_POLL_RECORDS = 5000
# How soon a table that begins to be captured is followed.
FOLLOW_EVERY_SECONDS = 5.0
JOIN_SECONDS = 1.0
COMMIT_SECONDS = 10

Records = dict[TopicPartition, list[ConsumerRecord]]


class KafkaSource:
    """One member of the consumer group. One thread only: rebalances happen inside `poll` and
    `hold`, so nothing is in flight when partitions move."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = f"{settings.TOPIC_PREFIX}.public."
        self._topics: frozenset[str] = frozenset()
        self._tables: dict[str, str] = {}  # by topic
        self._followed = float("-inf")
        self._owed: dict[TopicPartition, int] = {}  # offsets of written records that Kafka has not taken
        # No deserialiser: an exception in one makes the next poll hang for ever (facts:
        # python_clients.md).
        self._consumer = KafkaConsumer(
            bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS),
            group_id=settings.CONSUMER_GROUP,
            client_id="crypto-consumer",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_poll_records=MAX_POLL_RECORDS,
            fetch_max_wait_ms=500,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            metadata_max_age_ms=int(FOLLOW_EVERY_SECONDS * 1000),
            # A killed member's partitions wait so long for the others. A thread of its own tells
            # Kafka that we live.
            session_timeout_ms=10_000,
            # A poll is written in about a second; in an outage `hold` keeps polling.
            max_poll_interval_ms=300_000,
        )

    def table_of(self, record: ConsumerRecord) -> str:
        return self._tables[record.topic]

    def follow(self, tables: Iterable[str]) -> frozenset[str]:
        """Subscribe to the topics of those `tables` that are captured. A table without a topic, or
        a topic without a table, is followed as soon as the other appears, from its first record.
        Returns the followed tables."""
        now = time.monotonic()
        if now - self._followed < FOLLOW_EVERY_SECONDS:
            return frozenset(self._tables.values())
        self._followed = now
        wanted = frozenset(self._prefix + table for table in tables) & self._consumer.topics()
        # A topic stays followed when it is not listed for a moment (a broker that restarts lists
        # none).
        if wanted - self._topics:
            self._topics |= wanted
            self._tables = {topic: topic.removeprefix(self._prefix) for topic in self._topics}
            self._consumer.subscribe(topics=sorted(self._topics))
            log.info("topics_followed", extra={"topics": ",".join(sorted(self._topics))})
        return frozenset(self._tables.values())

    def assigned(self) -> set[TopicPartition]:
        """The Kafka partitions that are this member's now."""
        return self._consumer.assignment()

    def poll(self, timeout_seconds: float) -> Records:
        """The next records by Kafka partition, in order; empty when none came in time."""
        if not self._topics:
            return {}
        records = self._poll(timeout_seconds)
        if self._owed and not records:
            self.commit({})
        return records

    def _poll(self, timeout_seconds: float) -> Records:
        # A join needs time to see its end: one that ends between two polls is started again.
        if keep_joining(self._consumer):
            timeout_seconds = max(timeout_seconds, JOIN_SECONDS)
        return self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))

    def hold(self, seconds: float) -> None:
        """Stay in the group for `seconds` without taking records. Partitions that arrive by a
        rebalance meanwhile are not paused yet: what they deliver is put back."""
        deadline = time.monotonic() + seconds
        while True:
            self._consumer.pause(*self.assigned())
            left = deadline - time.monotonic()
            for partition, records in self._poll(max(0.0, min(left, 1))).items():
                self._consumer.seek(partition, records[0].offset)
            if left <= 0:
                return

    def resume(self) -> None:
        self._consumer.resume(*self._consumer.paused())

    def commit(self, next_offsets: dict[TopicPartition, int]) -> bool:
        """Commit the offsets to read next. False when Kafka does not take them now (a rebalance):
        the rows are written, so the worst that follows is that they are written again, which
        changes nothing. They are owed: the next `poll` or `close` tries again, so that the group's
        lag is true when no more records come."""
        news = not self._owed
        self._owed |= next_offsets
        ours = self.assigned()
        offsets = {tp: OffsetAndMetadata(offset, "", -1) for tp, offset in self._owed.items() if tp in ours}
        try:
            if offsets:
                self._consumer.commit(offsets, timeout_ms=COMMIT_SECONDS * 1000)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            if news:
                log.warning("commit_failed", extra={"error": f"{type(error).__name__}: {error}"})
            return False
        self._owed.clear()
        return True

    def lag_records(self, fetch_ends: bool = False) -> dict[TopicPartition, int]:
        """Records not yet taken, per assigned partition; only those whose end is known. The ends
        come with the records; `fetch_ends` requests them from Kafka, because nothing is
        fetched while partitions are paused. Raises KafkaError."""
        partitions, lags = self.assigned(), {}
        ends = self._consumer.end_offsets(partitions) if fetch_ends and partitions else {}
        for partition in partitions:
            end = ends.get(partition, self._consumer.highwater(partition))
            if end is not None:
                lags[partition] = max(0, end - self._consumer.position(partition, timeout_ms=1000))
        return lags

    def close(self) -> None:
        """Leave the group, so that the others take over at once."""
        if self._owed:
            self.commit({})
        self._consumer.close(autocommit=False, timeout_ms=5000)
