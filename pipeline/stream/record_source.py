"""Where the loop's records come from: KafkaSource follows the captured tables without end,
DeadLetterSource reads the dead letters once. Knows what a record is; connects to nothing."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from pipeline.changes import Change

Records = dict[TopicPartition, list[ConsumerRecord]]


class Mark(NamedTuple):
    """How far a Kafka partition is written: the offset to read next, and the state of its versions
    there. `lease`: see Stamps."""

    next_offset: int
    state: str = ""
    lease: int = 0


class Stamps(Protocol):
    """Gives the changes of one Kafka partition their versions. `lease` is another one after the
    partition was another consumer's."""

    lease: int

    def stamp(self, record: ConsumerRecord, change: Change) -> Change:
        """The record's change with its version."""

    def saved(self) -> str:
        """The state after the changes that were stamped; committed with their offset."""


class Versions(Protocol):
    def of(self, partition: TopicPartition) -> Stamps:
        """The versions of a Kafka partition whose records `poll` has returned."""

    def emptied(self, topic: str, commit_us: int) -> None:
        """The topic's table was truncated at this time."""


class RecordSource(Protocol):
    """All methods are called from one thread. Those that talk to Kafka raise KafkaError."""

    @property
    def exhausted(self) -> bool:
        """True once every record that will ever come is committed."""

    @property
    def versions(self) -> Versions:
        """Which version each change gets."""

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

    def commit(self, marks: Mapping[TopicPartition, Mark]) -> bool:
        """Commit the offsets to read next. False when Kafka does not accept them now."""

    def lag_records(self, fetch_ends: bool = False) -> dict[TopicPartition, int]:
        """Records not yet taken per Kafka partition, as far as known."""

    def emptied(self, table: str, commit_us: int) -> None:
        """The table was truncated at this time: a later snapshot of it is newer."""

    def ends(self, table: str) -> dict[int, int]:
        """The end offset of each Kafka partition of the table's topic."""

    def is_read(self, table: str, ends: Mapping[int, int]) -> bool:
        """Whether the whole group has committed the table's records before `ends`."""

    def close(self) -> None:
        """Release the connection; nothing is called afterwards."""
