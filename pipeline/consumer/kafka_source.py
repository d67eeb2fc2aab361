"""The Kafka side: records of the captured tables' topics, offsets, membership. Knows kafka-python;
knows nothing of what a record holds or of Cassandra."""

import logging
import time
from collections.abc import Iterable

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import CommitFailedError, IllegalStateError, KafkaError
from kafka.structs import OffsetAndMetadata

from pipeline.consumer.driver_internals import keep_joining
from pipeline.consumer.record_source import Records
from pipeline.settings import Settings

log = logging.getLogger(__name__)

# Enough rows for full batches; few enough that a poll is parsed and written within about a second.
MAX_POLL_RECORDS = 5000
# How soon a table is followed once it is captured.
FOLLOW_INTERVAL_SECONDS = 5.0
JOIN_SECONDS = 1.0
COMMIT_TIMEOUT_SECONDS = 10


class KafkaSource:
    """One member of the consumer group; a RecordSource that never ends. One thread only: rebalances
    happen inside `poll` and `hold`, so nothing is in flight when partitions move."""

    exhausted = False

    def __init__(self, settings: Settings) -> None:
        self._prefix = f"{settings.TOPIC_PREFIX}.public."
        self._topics: frozenset[str] = frozenset()
        self._tables: dict[str, str] = {}  # by topic
        self._last_follow = float("-inf")
        # Offsets after written records that Kafka has not accepted yet.
        self._pending_offsets: dict[TopicPartition, int] = {}
        # No deserialiser: in kafka-python an exception in one makes the next poll hang forever.
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
            metadata_max_age_ms=int(FOLLOW_INTERVAL_SECONDS * 1000),
            # How long the partitions of a killed member wait until others get them. Heartbeats come
            # from a thread of the library.
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
        if now - self._last_follow < FOLLOW_INTERVAL_SECONDS:
            return frozenset(self._tables.values())
        self._last_follow = now
        wanted = frozenset(self._prefix + table for table in tables) & self._consumer.topics()
        # A topic that is not listed for a moment stays followed: a broker that restarts lists none.
        if wanted - self._topics:
            self._topics |= wanted
            self._tables = {topic: topic.removeprefix(self._prefix) for topic in self._topics}
            self._consumer.subscribe(topics=sorted(self._topics))
            log.info("topics_followed", extra={"topics": ",".join(sorted(self._topics))})
        return frozenset(self._tables.values())

    def assigned(self) -> set[TopicPartition]:
        """The Kafka partitions that belong to this member now."""
        return self._consumer.assignment()

    def poll(self, timeout_seconds: float) -> Records:
        """The next records per Kafka partition, in order; empty when none came in time."""
        if not self._topics:
            return {}
        records = self._poll(timeout_seconds)
        if self._pending_offsets and not records:
            self.commit({})
        return records

    def _poll(self, timeout_seconds: float) -> Records:
        # A join must end within a poll: one that ends between two polls is started again.
        if keep_joining(self._consumer):
            timeout_seconds = max(timeout_seconds, JOIN_SECONDS)
        return self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))

    def hold(self, seconds: float) -> None:
        """Stay in the group for `seconds` without taking records. Partitions that a rebalance
        brings meanwhile are not paused yet: the position goes back to before what they deliver."""
        deadline = time.monotonic() + seconds
        while True:
            self._consumer.pause(*self.assigned())
            remaining = deadline - time.monotonic()
            for partition, records in self._poll(max(0.0, min(remaining, 1))).items():
                self._consumer.seek(partition, records[0].offset)
            if remaining <= 0:
                return

    def resume(self) -> None:
        self._consumer.resume(*self._consumer.paused())

    def commit(self, next_offsets: dict[TopicPartition, int]) -> bool:
        """Commit the offsets to read next. False when Kafka does not accept them now (a rebalance):
        the rows are written, so at worst they are written again, which changes nothing. The offsets
        stay pending; the next poll without records or `close` retries the commit, so that the
        group's lag is right even when no more records come."""
        is_first_failure = not self._pending_offsets
        self._pending_offsets |= next_offsets
        assigned = self.assigned()
        offsets = {
            partition: OffsetAndMetadata(offset, "", -1)
            for partition, offset in self._pending_offsets.items()
            if partition in assigned
        }
        try:
            if offsets:
                self._consumer.commit(offsets, timeout_ms=COMMIT_TIMEOUT_SECONDS * 1000)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            if is_first_failure:
                log.warning("commit_failed", extra={"error": f"{type(error).__name__}: {error}"})
            return False
        self._pending_offsets.clear()
        return True

    def lag_records(self, fetch_ends: bool = False) -> dict[TopicPartition, int]:
        """Records not yet taken, per assigned partition whose end is known. The ends come with the
        records; `fetch_ends` requests them from Kafka, because nothing is fetched while partitions
        are paused. Raises KafkaError."""
        partitions = self.assigned()
        ends = self._consumer.end_offsets(partitions) if fetch_ends and partitions else {}
        lags = {}
        for partition in partitions:
            end = ends.get(partition, self._consumer.highwater(partition))
            if end is not None:
                lags[partition] = max(0, end - self._consumer.position(partition, timeout_ms=1000))
        return lags

    def close(self) -> None:
        """Leave the group, so that the other members take over at once."""
        if self._pending_offsets:
            self.commit({})
        self._consumer.close(autocommit=False, timeout_ms=5000)
