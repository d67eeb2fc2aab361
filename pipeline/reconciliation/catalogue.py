"""The targets that exist now: the tables that are captured in PostgreSQL and stored in Cassandra.
Reads both catalogues; compares nothing."""

from collections.abc import Iterable

from pipeline.changes import Row
from pipeline.consumer.row_encoder import RECORD_AT_FAULT
from pipeline.consumer.statements import Statements
from pipeline.errors import BadSetting, UnwritableRecord
from pipeline.mirroring.catalogue import read_table
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.reconciliation.connections import Sides, captured_tables
from pipeline.reconciliation.expectation import Expectation, written
from pipeline.reconciliation.key_text import is_supported, lookup_names
from pipeline.reconciliation.source_rows import SourceRows
from pipeline.reconciliation.stored_rows import StoredTable
from pipeline.reconciliation.targets import Pair, Target, Way, pairs_of


class Catalogue:
    """`notes`: what is not compared, and why."""

    def __init__(self, sides: Sides, keyspace: str) -> None:
        self._sides = sides
        self._statements = Statements(sides.cassandra, keyspace)
        self.notes: list[str] = []

    def tables(self) -> set[str]:
        """Those that the consumer reads: captured, and there in Cassandra."""
        return captured_tables(self._sides.connection) & self._statements.tables()

    def pairs(self, names: frozenset[str] | None) -> list[Pair]:
        """Of the tables with these names, in PostgreSQL or Cassandra; None: all. Raises BadSetting
        for a name that is none."""
        pairs = pairs_of(captured_tables(self._sides.connection), self._statements.tables())
        known = {name for pair in pairs for name in (pair.source, pair.target)}
        if names is not None and names - known:
            raise BadSetting(f"--tables {min(names - known)}: expected some of {', '.join(sorted(known))}")
        return [pair for pair in pairs if names is None or names & {pair.source, pair.target}]

    def targets(self, pairs: Iterable[Pair]) -> list[Target]:
        """Raises StoreUnavailable, psycopg2 errors."""
        self.notes = []
        return [target for pair in pairs if (target := self._target(pair)) is not None]

    def _target(self, pair: Pair) -> Target | None:
        try:
            with self._sides.snapshot() as cursor:
                source = SourceRows(read_table(cursor, pair.source))
            stored = StoredTable(self._sides.cassandra, self._statements.table(pair.target), self._others(pair, source))
        except (MirrorRefused, UnwritableRecord, *RECORD_AT_FAULT) as error:
            self.notes.append(f"{pair.shown} is not compared: {error}")
            return None
        names = source.table.primary_key if pair.way is not Way.EQUAL else pair.lookup or tuple(stored.key)
        for name in names if pair.way is Way.EQUAL else ():
            column = stored.table.columns[name]
            if name not in source.columns or not is_supported(source.table.column(name).type, column.cql_type):
                self.notes.append(f"{pair.shown} is not compared: rows cannot be found by {name} {column.cql_type}")
                return None
        if not names:
            self.notes.append(f"{pair.shown} is not compared: it has no primary key")
            return None
        if source.left_out:
            self.notes.append(f"{pair.shown}: not compared are {', '.join(source.left_out)}, whose form is not exact")
        lookup = lookup_names(names, stored) if pair.way is Way.EQUAL else names
        expectation = Expectation(self._statements, pair.source, stored, pair.kind)
        return Target(pair, source, stored, expectation, lookup)

    def _others(self, pair: Pair, source: SourceRows) -> list[str]:
        """The columns of Cassandra's table beside its key that rows of the source fill."""
        table = self._statements.table(pair.target)
        assert table is not None  # pairs() has seen it
        key = {column.name for column in table.primary_key}
        filled = pair.columns
        if filled is None:
            row = self._first_row(source)
            filled = frozenset(
                name for write in (written(pair.source, pair.target, row) if row else ()) for name in write.row
            )
        return [name for name in table.columns if name in filled and name not in key]

    def _first_row(self, source: SourceRows) -> Row | None:
        with self._sides.snapshot():
            for batch in source.stream(self._sides.connection, "true LIMIT 1"):
                return batch[0][0]
        return None
