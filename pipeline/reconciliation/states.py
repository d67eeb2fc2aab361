"""The present state of single rows on both sides. Knows how a row is found by its identity; judges
nothing.

The identity of a row is the store's key (bytes) where both sides have the same rows (Way.EQUAL),
else PostgreSQL's primary key (text)."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from psycopg2.extensions import cursor as Cursor

from pipeline.reconciliation import key_text
from pipeline.reconciliation.expectation import Expected
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.source_rows import Batch
from pipeline.reconciliation.stored_rows import Read
from pipeline.reconciliation.targets import Target, Way

Identity = tuple


class States:
    """`source`: what the store should hold, `stored`: what it holds; None for no row."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._newest = None
        if target.pair.way is Way.NEWEST:
            partition = target.cassandra.partition
            where = " AND ".join(f'"{name}" = ?' for name in partition)
            self._newest = target.cassandra.prepare(where, limit="LIMIT 1")
            self._partition = slice(0, len(partition))

    def identified(self, rows: Batch) -> dict[Identity, Expected]:
        """What the store should hold for rows of PostgreSQL. A transformation of the user's may
        make several rows of one."""
        target = self._target
        if target.pair.way is Way.EQUAL:
            return {expected.key: expected for expected in target.expectation.expected(rows)}
        found: dict[Identity, Expected] = {}
        for row, is_odd in rows:
            key = key_text.of_streamed(target.source.table, row)
            for number, expected in enumerate(target.expectation.expected([(row, is_odd)])):
                found[*key, number] = expected
        return found

    def source(self, cursor: Cursor, identities: Sequence[Identity]) -> dict[Identity, Expected | None]:
        """As the cursor's transaction sees them."""
        rows = self.source_rows(cursor, identities)
        return dict.fromkeys(identities) | self.identified(rows)

    def source_rows(self, cursor: Cursor, identities: Iterable[Identity]) -> Batch:
        target = self._target
        if target.pair.way is Way.EQUAL:
            keys = [key_text.of_stored(target.lookup, target.source.table, target.stored, key) for key in identities]
            return target.source.by_key(cursor, target.lookup, keys)
        keys = list(dict.fromkeys(identity[:-1] for identity in identities))
        return target.source.by_key(cursor, target.source.table.primary_key, keys)

    def stored(
        self, identities: Sequence[Identity], expected: Mapping[Identity, Expected | None]
    ) -> dict[Identity, RawRow | None]:
        """`expected`: the rows' present states in PostgreSQL, whose keys say where to look."""
        target = self._target
        if target.pair.way is Way.EQUAL:
            return self._without_blank(dict(zip(identities, target.stored.by_key(identities), strict=True)))
        known = [(identity, state.key) for identity in identities if (state := expected.get(identity))]
        if self._newest is not None:
            rows = target.cassandra.first_rows(Read(self._newest, key[self._partition]) for _, key in known)
        else:
            rows = target.stored.by_key(key for _, key in known)
        return dict(zip((identity for identity, _ in known), rows, strict=True))

    def _without_blank(self, rows: dict[Identity, RawRow | None]) -> dict[Identity, RawRow | None]:
        is_blank = blank_test(self._target)
        return {identity: None if row is None or is_blank(row) else row for identity, row in rows.items()}


def blank_test(target: Target) -> Callable[[RawRow], bool]:
    """Whether a row of the store has nothing from this source: in a table that several sources
    share, only their own columns are judged."""
    if target.pair.columns is None:
        return lambda row: False
    start = len(target.stored.key)
    return lambda row: not any(cell is not None for cell in row[start:])
