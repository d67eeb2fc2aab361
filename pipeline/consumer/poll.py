"""One poll on its way from Kafka to the commit: its records, the changes in them, what is to be
written and what was rejected. Talks to neither Kafka nor Cassandra."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from pipeline.changes import Change
from pipeline.consumer.dead_letters import MAX_REASON_CHARACTERS, VALUE_LEFT_OUT, DeadLetter, origin
from pipeline.consumer.envelope import parse
from pipeline.consumer.record_source import Records
from pipeline.consumer.writer import Pending
from pipeline.errors import UnwritableRecord


@dataclass(slots=True)
class Poll:
    """`by_partition`: the records as the source returned them. `records`: the same in one list; a
    record's position in it identifies the record in `changes` (position, change), in the encoded
    rows and in `rejected`. `pending`: what is to be written; None until the rows are encoded for
    the current schema. `first_write`: the first attempt to write it, in another thread."""

    by_partition: Records
    records: list[ConsumerRecord]
    changes: list[tuple[int, Change]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    rejected: set[int] = field(default_factory=set)
    pending: Pending | None = None
    first_write: Future[None] | None = None
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def parse(cls, by_partition: Records, table_of: Callable[[ConsumerRecord], str]) -> "Poll":
        """Every record as a change. A record that is not an envelope is rejected; one that holds no
        row (a tombstone, a truncate) is skipped."""
        poll = cls(by_partition, [record for records in by_partition.values() for record in records])
        for position, record in enumerate(poll.records):
            try:
                if record.value is None:
                    check_value_is_there(record)
                change = parse(table_of(record), record.value, record.key)
            except UnwritableRecord as error:
                poll.reject(position, str(error), malformed=True)
            else:
                if change is not None:
                    poll.changes.append((position, change))
        return poll

    def reject(self, position: int, reason: str, malformed: bool = False) -> None:
        """One dead letter for the record, however many of its rows cannot be written."""
        if position not in self.rejected:
            self.rejected.add(position)
            self.dead_letters.append(DeadLetter(self.records[position], reason[:MAX_REASON_CHARACTERS], malformed))

    def clear_rejections(self) -> None:
        """Forget rejections that the old schema caused; malformed envelopes stay rejected."""
        self.dead_letters[:] = [letter for letter in self.dead_letters if letter.malformed]
        malformed = {id(letter.record) for letter in self.dead_letters}
        self.rejected = {position for position in self.rejected if id(self.records[position]) in malformed}

    def next_offsets(self) -> dict[TopicPartition, int]:
        """What to commit once everything is written: per Kafka partition, the offset to read
        next."""
        return {partition: records[-1].offset + 1 for partition, records in self.by_partition.items()}


def check_value_is_there(record: ConsumerRecord) -> None:
    """Raises UnwritableRecord for a dead letter whose value was too large for it: without this, its
    replay would take it for a tombstone and count it as written."""
    if record.headers and VALUE_LEFT_OUT in dict(record.headers):
        where = origin(record)
        raise UnwritableRecord(
            f"the value was too large for a dead letter: update the row in PostgreSQL, so that it is sent again"
            f" (first read at {where.topic}, partition {where.partition}, offset {where.offset})"
        )
