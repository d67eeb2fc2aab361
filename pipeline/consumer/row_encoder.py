"""From the changes of a poll to encoded rows: transform, encode; what cannot be written is
rejected. Sends nothing."""

import logging
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter

from pipeline.changes import Change, Row, Write
from pipeline.consumer.metrics import UNKNOWN_COLUMNS
from pipeline.consumer.poll import Poll
from pipeline.consumer.statements import EncodedRow, Statements
from pipeline.errors import UnwritableRecord
from pipeline.transformations import transform

log = logging.getLogger(__name__)

# What a transformation raises for a record that it cannot handle. Raised by a bug, they look the
# same: then every record of the table becomes a dead letter, and is written by a replay after the
# fix.
RECORD_AT_FAULT = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Group:
    """Rows that are written with the same statement, for the changes of one `source` table."""

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


# Groups by Cassandra table, kind of write and source table.
Groups = dict[tuple[str, str, str], Group]
# Rows to write once per poll, by `Write.once`, each with every (position, change) that wants it.
OnceRows = dict[tuple, list[tuple[Write, int, Change]]]


class RowEncoder:
    """Encodes changes as rows. Warns once per unknown column."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._warned_columns: set[tuple[str, str]] = set()

    def rows(self, poll: Poll) -> list[EncodedRow]:
        """The rows of all changes, in the order of the records; a change that cannot be written is
        rejected. Raises StoreUnavailable when a statement cannot be prepared now."""
        groups, once_rows = self._transform(poll)
        rows = [row for group in groups.values() for row in self._encode(group, poll)]
        if poll.rejected:
            rows = [row for row in rows if row.position not in poll.rejected]
        for candidates in once_rows.values():
            # For the first change that was not rejected.
            for write, position, change in candidates:
                if position not in poll.rejected:
                    group = Group(write.table, write.kind, change.table)
                    group.add(write.row, change.version_us, position)
                    rows += self._encode(group, poll)
                    break
        rows.sort(key=attrgetter("position"))
        return rows

    def _transform(self, poll: Poll) -> tuple[Groups, OnceRows]:
        groups: Groups = {}
        once_rows: OnceRows = {}
        for position, change in poll.changes:
            try:
                writes = transform(change)
            except UnwritableRecord as error:
                poll.reject(position, str(error))
                continue
            except RECORD_AT_FAULT as error:
                poll.reject(position, f"transformation of {change.table}: {type(error).__name__} {error}")
                continue
            for write in writes:
                if write.once is not None:
                    once_rows.setdefault(write.once, []).append((write, position, change))
                    continue
                key = (write.table, write.kind, change.table)
                group = groups.get(key)
                if group is None:
                    group = groups[key] = Group(*key)
                group.add(write.row, change.version_us, position)
        return groups, once_rows

    def _encode(self, group: Group, poll: Poll) -> list[EncodedRow]:
        """All rows at once; when one of them cannot be encoded, each half by itself, until that row
        is alone and can be rejected."""
        try:
            statement = self._statements.statement(group.table, group.kind)
            rows = statement.encode(group.rows, group.versions_us, group.positions, group.source)
        except UnwritableRecord as error:
            count = len(group.rows)
            if count == 1:
                poll.reject(group.positions[0], str(error))
                return []
            first, second = group.part(0, count // 2), group.part(count // 2, count)
            return self._encode(first, poll) + self._encode(second, poll)
        if not statement.known.issuperset(chain.from_iterable(group.rows)):
            self._count_unknown(group, statement.known)
        return rows

    def _count_unknown(self, group: Group, known: frozenset[str]) -> None:
        for row in group.rows:
            for column in row.keys() - known:
                UNKNOWN_COLUMNS.labels(group.table, column).inc()
                if (group.table, column) not in self._warned_columns:
                    self._warned_columns.add((group.table, column))
                    remedy = f"ALTER TABLE {group.table} ADD {column} …"
                    log.warning("unknown_column", extra={"table": group.table, "column": column, "remedy": remedy})
