"""From the records of a poll to encoded rows and dead letters: parse, transform, encode. Sends nothing."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kafka.consumer.fetcher import ConsumerRecord

from pipeline.errors import UnwritableRecord
from pipeline.sink.batches import Versioned
from pipeline.sink.dead_letters import MOST_REASON_CHARACTERS, DeadLetter
from pipeline.sink.envelope import Change, parse
from pipeline.sink.metrics import UNKNOWN_COLUMNS
from pipeline.sink.statements import Statements, TableStatement
from pipeline.sink.ties import Ties
from pipeline.transformations import Write, transform

log = logging.getLogger(__name__)

# What a transformation raises when the record, not the code, is wrong.
RECORD_AT_FAULT = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Poll:
    """The records of one poll in order, and what became of them. `changes` are (position of the record, change)."""

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
        """Forget which rows could not be stored: the schema has changed. What is no envelope stays dead."""
        self.dead[:] = [letter for letter in self.dead if letter.unreadable]
        dead = {id(letter.record) for letter in self.dead}
        self.buried = {position for position in self.buried if id(self.records[position]) in dead}


def parse_all(records: Iterable[ConsumerRecord], table_of: Callable[[ConsumerRecord], str]) -> Poll:
    """Every record as a change; one that is no envelope is dead, one that holds no row is passed over."""
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


class RowEncoder:
    """Changes to encoded rows. Remembers which unknown columns it has spoken of."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._ties = Ties()
        self._spoken: set[tuple[str, str]] = set()

    def rows(self, poll: Poll) -> list[Versioned]:
        """The rows of all changes; a change that cannot be written becomes a dead letter. Raises StoreUnavailable
        when a statement cannot be prepared now."""
        rows: list[Versioned] = []
        statements: dict[tuple[str, str], TableStatement] = {}
        written: set[tuple] = set()
        previous: tuple | None = None
        for position, change in poll.changes:
            record = poll.records[position]
            transaction = (record.topic, record.partition, change.commit_us)
            if transaction != previous:
                self._ties.begin(transaction[:2], change.commit_us)
                previous = transaction
            try:
                for write in transform(change):
                    if write.once is not None:
                        if write.once in written:
                            continue
                        written.add(write.once)
                    statement = statements.get((write.table, write.kind))
                    if statement is None:
                        statement = self._statements.statement(write.table, write.kind)
                        statements[write.table, write.kind] = statement
                    if not write.row.keys() <= statement.known:
                        self._count_unknown(write, statement.known)
                    row, version_us = statement.encode(write.row, change.version_us, change.table), change.version_us
                    if change.commit_us:
                        version_us = self._ties.version_us(row.identity, change.version_us)
                        if version_us != change.version_us:
                            row = statement.encode(write.row, version_us, change.table)
                    rows.append(Versioned(row, version_us, position))
            except UnwritableRecord as error:
                poll.bury(position, str(error))
            except RECORD_AT_FAULT as error:
                poll.bury(position, f"transformation of {change.table}: {type(error).__name__} {error}")
        return rows

    def _count_unknown(self, write: Write, known: frozenset[str]) -> None:
        for column in write.row.keys() - known:
            UNKNOWN_COLUMNS.labels(write.table, column).inc()
            if (write.table, column) not in self._spoken:
                self._spoken.add((write.table, column))
                remedy = f"ALTER TABLE {write.table} ADD {column} …"
                log.warning("unknown_column", extra={"table": write.table, "column": column, "remedy": remedy})
