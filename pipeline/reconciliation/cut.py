"""A position in PostgreSQL's log, and when everything before it is in a store. Knows the slot and
Kafka's offsets; knows no rows.

1. Within a snapshot of PostgreSQL: the end of its log. Whatever the snapshot shows was committed
   before it.
2. Once the slot's confirmed position has passed it, Kafka has all records of these transactions:
   PostgreSQL sends them in the order of their commits, and Debezium confirms what Kafka has
   acknowledged.
3. Once the store's consumer has reached the end offsets as they were then, the store has all of
   them, or refuses them: to Cassandra, the group has committed them, so that each is confirmed or a
   dead letter; Redis itself knows how far it is."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from kafka import TopicPartition
from kafka.errors import KafkaError
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline import kafka_connection
from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.stopping import Stop
from pipeline.stream.kafka_offsets import bounds_of, partitions_of_topic

SLOT = "crypto_slot"
POLL_SECONDS = 0.5
# The slot's position moves every five seconds (Connect commits offsets that often, and the
# heartbeat writes that often): twice ten seconds are normal, more is an outage.
MAX_WAIT_SECONDS = 120.0


class StreamStands(PipelineError):
    """Changes do not reach a store, so that nothing can be said about its rows."""

    retriable = True


def log_position(cursor: Cursor) -> int:
    """The end of PostgreSQL's log: what is committed is before it, whether flushed or not."""
    cursor.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
    return int(cursor.fetchone()[0])


class Stream:
    """How far the stream from PostgreSQL through Kafka is, as a stranger to the consumer groups.
    Raises StreamStands when Kafka does not answer."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._connection = connection
        self._prefix = settings.TOPIC_PREFIX
        client = "crypto-reconcile"
        try:
            self._consumer = kafka_connection.consumer(
                settings, client_id=client, enable_auto_commit=False, allow_auto_create_topics=False
            )
            self._admin = kafka_connection.admin(settings, client_id=client)
        except KafkaError as error:
            raise StreamStands(f"Kafka: {error}") from error

    def confirmed_position(self) -> int:
        """Kafka has everything that PostgreSQL committed before it. Raises StreamStands."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT (confirmed_flush_lsn - '0/0')::bigint FROM pg_replication_slots WHERE slot_name = %s", (SLOT,)
            )
            found = cursor.fetchone()
        if found is None or found[0] is None:
            raise StreamStands(f"PostgreSQL has no replication slot {SLOT}: start the connector")
        return int(found[0])

    def ends(self, tables: Iterable[str]) -> dict[TopicPartition, int]:
        """The end offset of each Kafka partition of the tables that has records."""
        topics = [f"{self._prefix}.public.{table}" for table in tables]
        try:
            partitions = [each for topic in topics for each in partitions_of_topic(self._consumer, topic)]
            bounds = bounds_of(self._consumer, partitions)
        except KafkaError as error:
            raise StreamStands(f"Kafka's offsets: {error}") from error
        return {partition: end for partition, (first, end) in bounds.items() if end > first}

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """The offset that the consumer group reads next of each Kafka partition."""
        try:
            found = self._admin.list_group_offsets(group)[group]
        except KafkaError as error:
            raise StreamStands(f"offsets of the consumer group {group}: {error}") from error
        return {partition: mark.offset for partition, mark in found.items()}

    def close(self) -> None:
        self._consumer.close()
        self._admin.close()


class Consumer(Protocol):
    """Takes the records of `tables` from Kafka into a store. `name`: in messages."""

    name: str
    tables: set[str]

    def reached(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset to read next of each Kafka partition that it has begun: the store has
        everything before it. Raises StreamStands or StoreUnavailable."""


class Cut:
    """Whether everything before a position in PostgreSQL's log is in the consumer's store."""

    def __init__(
        self, stream: Stream, consumer: Consumer, position: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._consumer = consumer
        self._position = position
        self._clock = clock
        self._began = clock()
        self._pending: dict[TopicPartition, int] | None = None

    def has_passed(self) -> bool:
        """Raises StreamStands when it takes too long, StoreUnavailable."""
        if self._pending is None and self._stream.confirmed_position() >= self._position:
            self._pending = self._stream.ends(self._consumer.tables)
        if self._pending:
            reached = self._consumer.reached(list(self._pending))
            self._pending = {each: end for each, end in self._pending.items() if reached.get(each, 0) < end}
        if self._pending is not None and not self._pending:
            return True
        if self._clock() - self._began > MAX_WAIT_SECONDS:
            raise StreamStands(self._why())
        return False

    def wait(self, stop: Stop) -> bool:
        """Whether it has passed; False if a stop was requested first."""
        while not self.has_passed():
            if stop.wait(POLL_SECONDS):
                return False
        return True

    def _why(self) -> str:
        if self._pending is None:
            return f"Debezium has not confirmed what was committed {MAX_WAIT_SECONDS:.0f} s ago: see the guard's log"
        waiting = ", ".join(f"{each.topic}[{each.partition}]" for each in sorted(self._pending))
        what = f"has not written what Kafka has had for {MAX_WAIT_SECONDS:.0f} s ({waiting})"
        return f"{self._consumer.name} {what}: see its log"
