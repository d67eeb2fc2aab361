"""One poll on its way from Kafka to the commit: its records, the changes in them, what is to be
written and what was rejected. Talks to neither Kafka nor Cassandra."""

import logging
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from pipeline.changes import Change, Truncation
from pipeline.consumer.dead_letters import MAX_REASON_CHARACTERS, VALUE_LEFT_OUT, DeadLetter, origin
from pipeline.consumer.writer import Pending
from pipeline.errors import UnwritableRecord
from pipeline.stream.envelope import parse
from pipeline.stream.record_source import Mark, Records, Stamps, Versions

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Poll:
    """`by_partition`: the records as the source returned them. `records`: the same in one list; a
    record's position in it identifies the record in `changes`, `truncations` (position, change), in
    the encoded rows and in `rejected`. `marks`: what to commit once everything is written.
    `pending`: what is to be written; None until the rows are encoded for the current schema.
    `size_bytes`: of the records' values. `began`: when it was taken, in monotonic seconds."""

    by_partition: Records
    records: list[ConsumerRecord]
    changes: list[tuple[int, Change]] = field(default_factory=list)
    truncations: list[tuple[int, Truncation]] = field(default_factory=list)
    marks: dict[TopicPartition, Mark] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    rejected: set[int] = field(default_factory=set)
    pending: Pending | None = None
    size_bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def without_records(cls, changes: Iterable[Change]) -> "Poll":
        """Of changes that this consumer makes itself: there is nothing to commit, and no record
        that could become a dead letter."""
        return cls({}, [], list(enumerate(changes)))

    @property
    def is_answered(self) -> bool:
        """Whether Cassandra has answered every request that was sent for it so far."""
        return self.pending is None or self.pending.is_answered

    @classmethod
    def parse(
        cls, by_partition: Records, table_of: Callable[[ConsumerRecord], str], versions: Versions | None = None
    ) -> "Poll":
        """Every record as a change, with its version. A record that is not an envelope is rejected;
        one that holds no row (a tombstone) is skipped. The versions are given here, once, in the
        order of the log: encoding again after a change of the schema must not change them."""
        poll = cls(by_partition, [record for records in by_partition.values() for record in records])
        poll.size_bytes = sum(len(record.value or b"") for record in poll.records)
        position = 0
        for partition, records in by_partition.items():
            stamps = versions.of(partition) if versions else None
            for record in records:
                poll._parse(position, table_of(record), stamps, versions)
                position += 1
            if stamps:
                poll.marks[partition] = Mark(records[-1].offset + 1, stamps.saved(), stamps.lease)
        return poll

    def _parse(self, position: int, table: str, stamps: Stamps | None, versions: Versions | None) -> None:
        record = self.records[position]
        try:
            if record.value is None:
                check_value_is_there(record)
            change = parse(table, record.value, record.key)
        except UnwritableRecord as error:
            self.reject(position, str(error), malformed=True)
            return
        if isinstance(change, Change):
            self.changes.append((position, stamps.stamp(record, change) if stamps else change))
        elif change is not None:
            self.truncations.append((position, change))
            if versions:
                versions.emptied(record.topic, change.commit_us)

    def reject(self, position: int, reason: str, malformed: bool = False) -> None:
        """One dead letter for the record, however many of its rows cannot be written."""
        if position not in self.rejected:
            self.rejected.add(position)
            if not self.records:
                log.warning("own_change_rejected", extra={"reason": reason})
                return
            change = self._change(position)
            version_us = change.version_us if change else None
            reason = reason[:MAX_REASON_CHARACTERS]
            self.dead_letters.append(DeadLetter(self.records[position], reason, malformed, version_us))

    def _change(self, position: int) -> Change | None:
        at = bisect_left(self.changes, position, key=itemgetter(0))
        return self.changes[at][1] if at < len(self.changes) and self.changes[at][0] == position else None

    def clear_rejections(self) -> None:
        """Forget rejections that the old schema caused; malformed envelopes stay rejected."""
        self.dead_letters[:] = [letter for letter in self.dead_letters if letter.malformed]
        malformed = {id(letter.record) for letter in self.dead_letters}
        self.rejected = {position for position in self.rejected if id(self.records[position]) in malformed}


def check_value_is_there(record: ConsumerRecord) -> None:
    """Raises UnwritableRecord for a dead letter whose value was too large for it: without this, its
    replay would take it for a tombstone and count it as written."""
    if record.headers and VALUE_LEFT_OUT in dict(record.headers):
        where = origin(record)
        raise UnwritableRecord(
            f"the value was too large for a dead letter: update the row in PostgreSQL, so that it is sent again"
            f" (first read at {where.topic}, partition {where.partition}, offset {where.offset})"
        )
