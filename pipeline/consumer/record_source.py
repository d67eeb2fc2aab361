"""Where the loop's records come from: KafkaSource follows the captured tables without end,
DeadLetterSource reads the dead letters once. Knows what a record is; connects to nothing."""

from collections.abc import Iterable
from typing import Protocol

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

Records = dict[TopicPartition, list[ConsumerRecord]]


class RecordSource(Protocol):
    """All methods are called from one thread. Those that talk to Kafka raise KafkaError."""

    @property
    def exhausted(self) -> bool:
        """True once every record that will ever come is committed."""

    def table_of(self, record: ConsumerRecord) -> str:
        """The captured table whose change the record holds."""

    def follow(self, tables: Iterable[str]) -> frozenset[str]:
        """Read the records of these tables, as far as they are captured. Returns the followed
        tables."""

    def poll(self, timeout_seconds: float) -> Records:
        """The next records per Kafka partition, in order; empty when none came in time."""

    def hold(self, seconds: float) -> None:
        """Let time pass without taking records, and without losing the partitions."""

    def resume(self) -> None:
        """Take records again after `hold`."""

    def commit(self, next_offsets: dict[TopicPartition, int]) -> bool:
        """Commit the offsets to read next. False when Kafka does not accept them now."""

    def lag_records(self, fetch_ends: bool = False) -> dict[TopicPartition, int]:
        """Records not yet taken per Kafka partition, as far as known."""

    def close(self) -> None:
        """Release the connection; nothing is called afterwards."""
