"""What Cassandra must hold for a row of PostgreSQL: exactly what the consumer would write, through
the consumer's transformation and encoders. Knows no connection to PostgreSQL."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from pipeline.changes import DELETE, INSERT, UPDATE, Change, Row, Write
from pipeline.consumer.cql_numbers import bigint
from pipeline.consumer.row_encoder import RECORD_AT_FAULT
from pipeline.consumer.statements import EncodedRow, Statements, TableStatement
from pipeline.errors import UnwritableRecord
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.stored_rows import StoredTable
from pipeline.transformations import transform

# A row that never becomes a row of the store: its record is a dead letter.
UNWRITABLE: RawRow = (b"unwritable",)


class Expected(NamedTuple):
    """`key`: the store's key of the row. `row`: as the store returns it, or UNWRITABLE."""

    key: RawRow
    row: RawRow


def change_of(table: str, row: Row, deleted: bool = False, version_us: int = 0) -> Change:
    return Change(table, deleted, row, version_us, 0, op="d" if deleted else "r")


def written(table: str, target: str, row: Row) -> list[Write]:
    """What a transformation writes into the table `target` for a row. Raises RECORD_AT_FAULT and
    UnwritableRecord."""
    return [write for write in transform(change_of(table, row)) if write.table == target and write.kind != DELETE]


def picker(places: list[int]) -> Callable[[Sequence[bytes | None]], RawRow]:
    """The values at these places as a tuple."""
    return itemgetter(*places) if len(places) > 1 else lambda values: tuple(values[at] for at in places)


class Expectation:
    """Rows of the PostgreSQL table `source` as rows of `stored`. `kind`: INSERT or UPDATE."""

    def __init__(self, statements: Statements, source: str, stored: StoredTable, kind: str) -> None:
        self._statements = statements
        self._source = source
        self._stored = stored
        self.kind = kind
        self._target = stored.table.name
        self._picked_for: TableStatement | None = None
        self._pick = picker([])
        self._keys = slice(0, len(stored.key))

    def expected(self, rows: Sequence[tuple[Row, bool]]) -> list[Expected]:
        """What is stored for each row; rows whose key cannot even be encoded are left out. Raises
        StoreUnavailable."""
        bad = [row for row, is_odd in rows if is_odd]
        fine = [row for row, is_odd in rows if not is_odd]
        stored = self.stored_form(self.encoded(fine, 0, bad))
        found = [Expected(row[self._keys], row) for row in stored]
        return found + self._unwritable(bad) if bad else found

    def encoded(self, rows: Sequence[Row], version_us: int, bad: list[Row]) -> list[EncodedRow]:
        """The rows as the consumer sends them. Those that it could not send are added to `bad`."""
        writes, sources = [], []
        for row in rows:
            try:
                made = written(self._source, self._target, row)
            except (UnwritableRecord, *RECORD_AT_FAULT):
                bad.append(row)
                continue
            writes += [write.row for write in made]
            sources += [row] * len(made)
        return self._encode(writes, sources, version_us, bad) if writes else []

    def _encode(self, writes: list[Row], sources: list[Row], version_us: int, bad: list[Row]) -> list[EncodedRow]:
        """All at once; when one of them cannot be encoded, each half by itself."""
        statement = self._statements.statement(self._target, self.kind)
        count = len(writes)
        try:
            return statement.encode(writes, [version_us] * count, range(count), self._source)
        except UnwritableRecord:
            if count == 1:
                bad.append(sources[0])
                return []
            half = count // 2
            return self._encode(writes[:half], sources[:half], version_us, bad) + self._encode(
                writes[half:], sources[half:], version_us, bad
            )

    def stored_form(self, encoded: list[EncodedRow]) -> list[RawRow]:
        """As StoredTable returns the rows."""
        if not encoded:
            return []
        statement = encoded[0].statement
        if statement is not self._picked_for:
            self._pick = picker([statement.value_names.index(name) for name in self._stored.columns])
            self._picked_for = statement
        return self._stored.comparable([self._pick(row.values) for row in encoded])

    def _unwritable(self, rows: list[Row]) -> list[Expected]:
        deletes = self._statements.statement(self._target, DELETE)
        found = []
        for row in rows:
            try:
                for write in written(self._source, self._target, row) or [Write(self._target, INSERT, row)]:
                    (encoded,) = deletes.encode([write.row], [0], [0], self._source)
                    found.append(Expected(encoded.identity[1:], UNWRITABLE))
            except (UnwritableRecord, *RECORD_AT_FAULT):
                continue  # such a key is not in Cassandra
        return found

    def removal(self, key: RawRow, version_us: int) -> EncodedRow:
        """What removes a row that PostgreSQL does not have: the row, or this source's columns of a
        row that several sources share."""
        if self.kind == UPDATE:
            source_key = {"symbol": (key[-1] or b"").decode()}
            writes = transform(change_of(self._source, source_key, deleted=True))
            statement = self._statements.statement(self._target, UPDATE)
            (row,) = statement.encode([writes[0].row], [version_us], [0], self._source)
            return row
        statement = self._statements.statement(self._target, DELETE)
        identity = (self._target, *key)
        return EncodedRow(
            statement,
            (bigint(version_us), *key),
            (statement, *key),
            identity,
            sum(len(cell or b"") for cell in key),
            version_us,
            0,
        )
