"""From the records of a poll to encoded rows and dead letters: parse, transform, encode. Sends
nothing."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter

from kafka.consumer.fetcher import ConsumerRecord

from pipeline.changes import Change, Row, Write
from pipeline.consumer.dead_letters import MOST_REASON_CHARACTERS, DeadLetter
from pipeline.consumer.envelope import parse
from pipeline.consumer.metrics import UNKNOWN_COLUMNS
from pipeline.consumer.statements import EncodedRow, Statements
from pipeline.consumer.tie_breaker import TieBreaker
from pipeline.errors import UnwritableRecord
from pipeline.transformations import transform

log = logging.getLogger(__name__)

# What a transformation raises when the record, not the code, is wrong.
RECORD_AT_FAULT = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Poll:
    """The records of one poll in order, and what became of them. `changes` are (position of the
    record, change)."""

    records: list[ConsumerRecord]
    changes: list[tuple[int, Change]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    buried: set[int] = field(default_factory=set)

    def bury(self, position: int, reason: str, unreadable: bool = False) -> None:
        """One dead letter for the record, however many of its rows are bad."""
        if position not in self.buried:
            self.buried.add(position)
            self.dead.append(DeadLetter(self.records[position], reason[:MOST_REASON_CHARACTERS], unreadable))

    def dig_up(self) -> None:
        """Forget which rows could not be stored: the schema has changed. What is no envelope stays
        dead."""
        self.dead[:] = [letter for letter in self.dead if letter.unreadable]
        dead = {id(letter.record) for letter in self.dead}
        self.buried = {position for position in self.buried if id(self.records[position]) in dead}


def parse_all(records: Iterable[ConsumerRecord], table_of: Callable[[ConsumerRecord], str]) -> Poll:
    """Every record as a change; one that is no envelope is dead, one that holds no row is passed
    over."""
    poll = Poll(list(records))
    for position, record in enumerate(poll.records):
        try:
            change = parse(table_of(record), record.value)
        except UnwritableRecord as error:
            poll.bury(position, str(error), unreadable=True)
        else:
            if change is not None:
                poll.changes.append((position, change))
    return poll


@dataclass(slots=True)
class Group:
    """Rows that are written the same way, for the changes of one `source` table."""

    table: str
    kind: str
    source: str
    rows: list[Row] = field(default_factory=list)
    versions_us: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def add(self, row: Row, version_us: int, position: int) -> None:
        self.rows.append(row)
        self.versions_us.append(version_us)
        self.positions.append(position)

    def part(self, start: int, end: int) -> "Group":
        return Group(
            self.table,
            self.kind,
            self.source,
            self.rows[start:end],
            self.versions_us[start:end],
            self.positions[start:end],
        )


class RowEncoder:
    """Changes to encoded rows. Remembers which unknown columns it has spoken of."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._ties = TieBreaker()
        self._spoken: set[tuple[str, str]] = set()

    def rows(self, poll: Poll) -> list[EncodedRow]:
        """The rows of all changes, in the order of the records; a change that cannot be written
        becomes a dead letter. Raises StoreUnavailable when a statement cannot be prepared now."""
        groups: dict[tuple[str, str, str], Group] = {}
        once: dict[tuple, list[tuple[Write, int, Change]]] = {}
        for position, change in poll.changes:
            try:
                writes = transform(change)
            except UnwritableRecord as error:
                poll.bury(position, str(error))
                continue
            except RECORD_AT_FAULT as error:
                poll.bury(position, f"transformation of {change.table}: {type(error).__name__} {error}")
                continue
            for write in writes:
                if write.once is not None:
                    once.setdefault(write.once, []).append((write, position, change))
                    continue
                way = (write.table, write.kind, change.table)
                group = groups.get(way)
                if group is None:
                    group = groups[way] = Group(*way)
                group.add(write.row, change.version_us, position)
        rows = [row for group in groups.values() for row in self._encoded(group, poll)]
        if poll.buried:
            rows = [row for row in rows if row.position not in poll.buried]
        for writes in once.values():
            # The first one whose record is good.
            for write, position, change in writes:
                if position not in poll.buried:
                    rows += self._encoded(
                        Group(write.table, write.kind, change.table, [write.row], [change.version_us], [position]), poll
                    )
                    break
        rows.sort(key=attrgetter("position"))
        self._untie(rows, poll)
        return rows

    def _encoded(self, group: Group, poll: Poll) -> list[EncodedRow]:
        """All rows at once; when one is bad, the halves by themselves, until it stands alone."""
        try:
            statement = self._statements.statement(group.table, group.kind)
            rows = statement.encode(group.rows, group.versions_us, group.positions, group.source)
        except UnwritableRecord as error:
            count = len(group.rows)
            if count == 1:
                poll.bury(group.positions[0], str(error))
                return []
            first, second = group.part(0, count // 2), group.part(count // 2, count)
            return self._encoded(first, poll) + self._encoded(second, poll)
        if not statement.known.issuperset(chain.from_iterable(group.rows)):
            self._count_unknown(group, statement.known)
        return rows

    def _untie(self, rows: list[EncodedRow], poll: Poll) -> None:
        """Of changes of one row in one transaction the later one gets the larger version. Snapshot
        rows are of none."""
        snapshot = {position for position, change in poll.changes if not change.commit_us}
        previous: tuple | None = None
        for number, row in enumerate(rows):
            if row.position in snapshot:
                continue
            record = poll.records[row.position]
            transaction = (record.topic, record.partition, row.version_us)
            if transaction != previous:
                self._ties.begin(transaction[:2], row.version_us)
                previous = transaction
            version_us = self._ties.version_us(row.identity, row.version_us)
            if version_us != row.version_us:
                rows[number] = row.with_version(version_us)

    def _count_unknown(self, group: Group, known: frozenset[str]) -> None:
        for row in group.rows:
            for column in row.keys() - known:
                UNKNOWN_COLUMNS.labels(group.table, column).inc()
                if (group.table, column) not in self._spoken:
                    self._spoken.add((group.table, column))
                    remedy = f"ALTER TABLE {group.table} ADD {column} …"
                    log.warning("unknown_column", extra={"table": group.table, "column": column, "remedy": remedy})
