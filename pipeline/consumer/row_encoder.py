"""From the changes of a poll to encoded rows: transform, encode; what cannot be written is
rejected. Sends nothing."""

from dataclasses import dataclass, field
from operator import attrgetter

from pipeline.changes import DELETE, INSERT, Change, Row, Write
from pipeline.consumer.column_report import ColumnReport
from pipeline.consumer.poll import Poll
from pipeline.consumer.replica_identity import ReplicaIdentities, check_update
from pipeline.consumer.statements import EncodedRow, Statements, TableStatement
from pipeline.errors import UnwritableRecord
from pipeline.tables import CASSANDRA_TABLES
from pipeline.transformations import transform

# What a transformation raises for a record that it cannot handle. Raised by a bug, they look the
# same: then every record of the table becomes a dead letter, and is written by a replay after the
# fix.
RECORD_AT_FAULT = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Group:
    """Rows that are written with the same statement, for the changes of one `source` table.
    `created`: they are new rows, in which null is left unset: a null that is written is a tombstone
    in Cassandra. `complete_row`: one that has all columns of the event."""

    table: str
    kind: str
    source: str
    created: bool = False
    complete_row: Row | None = None
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
            self.created,
            self.complete_row,
            self.rows[start:end],
            self.versions_us[start:end],
            self.positions[start:end],
        )


# Groups by Cassandra table, kind of write, source table and whether the rows are new.
Groups = dict[tuple[str, str, str, bool], Group]
# Rows to write once per poll, by `Write.once`, each with every (position, change) that wants it.
OnceRows = dict[tuple, list[tuple[Write, int, Change]]]


class RowEncoder:
    """Encodes changes as rows."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._identities = ReplicaIdentities()
        self._columns = ColumnReport()

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
                writes = transform(change) if change.table in CASSANDRA_TABLES else self._writes(change)
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
                key = (write.table, write.kind, change.table, change.op == "c" and write.kind == INSERT)
                group = groups.get(key)
                if group is None:
                    group = groups[key] = Group(*key)
                if group.complete_row is None and not change.incomplete:
                    group.complete_row = write.row
                # The state before a move is older than the move: if another row has taken its place
                # at the same time, that row stays.
                is_old_place = write.kind == DELETE and change.op == "u"
                group.add(write.row, change.version_us - is_old_place, position)
        return groups, once_rows

    def _writes(self, change: Change) -> list[Write]:
        """What the transformation makes of a change of a user's table: its key may be any, so only
        values are used that the event certainly carries."""
        if change.op == "d":
            return transform(self._identities.certain(change, self._statements.in_deletes(change.table)))
        if change.op != "u":
            return transform(change)
        change = self._identities.updated(change)
        keys = self._statements.keys(change.table)
        if keys is None:
            return transform(change)
        check_update(change, keys.key, keys.null_if_unchanged)
        writes = transform(change)
        if change.before is None or len(writes) != 2 or writes[0].kind != DELETE:
            return writes
        old, new = writes[0].row, writes[1].row
        if all(old.get(column) == new.get(column) for column in keys.key):
            return writes[1:]
        if change.incomplete:
            raise UnwritableRecord(f"{change.table}: a row that moved to another key without all of its values")
        return writes

    def _encode(self, group: Group, poll: Poll) -> list[EncodedRow]:
        """The rows in wire format. None of them when their statement cannot be prepared at all."""
        try:
            statement = self._statements.statement(group.table, group.kind)
        except UnwritableRecord as error:  # whatever the rows are
            for position in group.positions:
                poll.reject(position, str(error))
            return []
        return self._encode_with(statement, group, poll)

    def _encode_with(self, statement: TableStatement, group: Group, poll: Poll) -> list[EncodedRow]:
        """All rows at once; when one of them cannot be encoded, each half by itself, until that row
        is alone and can be rejected."""
        try:
            rows = statement.encode(group.rows, group.versions_us, group.positions, group.source, group.created)
        except UnwritableRecord as error:
            count = len(group.rows)
            if count == 1:
                poll.reject(group.positions[0], str(error))
                return []
            first, second = group.part(0, count // 2), group.part(count // 2, count)
            return self._encode_with(statement, first, poll) + self._encode_with(statement, second, poll)
        self._columns.check(statement, group.rows, group.complete_row)
        return rows
