"""Digests of PostgreSQL and of a store, then the rows of the buckets that differ, then those that
still differ behind another cut. Knows the order of the steps; knows neither SQL nor CQL.

1. PostgreSQL's rows of every table, each table in one snapshot.
2. A cut behind the last snapshot: what the snapshots have shown is in the store.
3. The store's rows of every table. Buckets that are equal are done.
4. Both sides of the other buckets once more, row by row.
5. Rows that look different, of all tables together: settle."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.consumer.cql_numbers import bigint
from pipeline.reconciliation.chunks import Chunk, Scope, first_trade_day_ms, scope_of
from pipeline.reconciliation.cut import log_position
from pipeline.reconciliation.digests import Digests, digest
from pipeline.reconciliation.expectation import UNWRITABLE
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.settle import Difference, Source, settle
from pipeline.reconciliation.states import Identity, States
from pipeline.reconciliation.targets import Target, Way
from pipeline.reconciliation.window import Window
from pipeline.stopping import Stop
from pipeline.tables import TRADES

# Rows held at the same time in steps 4 and 5.
MAX_ROWS_HELD = 30_000


@dataclass(slots=True)
class TableResult:
    """`rows`: compared, by label (the symbol, where the table has one). `unwritable`: rows that are
    dead letters. `restless`: rows that changed all the time, so that nothing is said of them."""

    target: Target
    rows: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    unwritable: int = 0
    restless: int = 0


class Work:
    """One table on its way through the steps."""

    def __init__(self, target: Target, connection: Connection, window: Window, pace: Callable[[], None]) -> None:
        self.result = TableResult(target)
        self.states = States(target)
        self._target = target
        self._connection = connection
        self._pace = pace
        self._scope: Scope = scope_of(target, connection, window)
        self._label = label_of(target)
        self._digests: list[Digests] = []
        self._identities: list[Identity] = []

    def read_source(self) -> None:
        """Step 1, within a snapshot."""
        is_digested = self._target.pair.way is Way.EQUAL
        for chunk in self._scope.chunks:
            digests = Digests(self._scope.buckets, len(self._target.stored.key))
            for batch in self._scope.source(self._target, self._connection, chunk):
                if is_digested:
                    expected = self._target.expectation.expected(batch)
                    digests.add(state.row for state in expected if state.row is not UNWRITABLE)
                    self.result.rows.update(self._label(state.key) for state in expected)
                else:
                    identities = list(self.states.identified(batch))
                    self._identities += identities
                    self.result.rows.update(map(self._label, identities))
            if is_digested:
                self._digests.append(digests)

    def read_stored(self) -> None:
        """Step 3."""
        for chunk, digests in zip(self._scope.chunks, self._digests):
            for page in self._scope.stored(self._target, chunk):
                digests.take(page)
                self._pace()

    def candidates(self, snapshot: Callable[[], AbstractContextManager[Cursor]]) -> Iterator[list[Identity]]:
        """Step 4: the rows that look different, in groups. Where the newest or some rows of the
        store are meant, all rows of PostgreSQL."""
        for start in range(0, len(self._identities), MAX_ROWS_HELD):
            yield self._identities[start : start + MAX_ROWS_HELD]
        for chunk, digests in zip(self._scope.chunks, self._digests):
            for is_wanted in digests.groups(MAX_ROWS_HELD):
                with snapshot():
                    held = self._held(chunk, is_wanted)
                yield self._unlike(chunk, is_wanted, held)

    def _held(self, chunk: Chunk, is_wanted: Callable[[RawRow], bool]) -> dict[RawRow, int]:
        """The digest of each row of PostgreSQL."""
        held: dict[RawRow, int] = {}
        for batch in self._scope.source(self._target, self._connection, chunk):
            for state in self._target.expectation.expected(batch):
                if is_wanted(state.key):
                    held[state.key] = digest(state.row)
        return held

    def _unlike(self, chunk: Chunk, is_wanted: Callable[[RawRow], bool], held: dict[RawRow, int]) -> list[Identity]:
        key = slice(0, len(self._target.stored.key))
        only_stored: list[Identity] = []
        for page in self._scope.stored(self._target, chunk):
            for row in page:
                if not is_wanted(row[key]):
                    continue
                expected = held.get(row[key])
                if expected is None:
                    only_stored.append(row[key])
                elif expected == digest(row):
                    del held[row[key]]
            self._pace()
        return [*held, *only_stored]

    def settled(self, differences: list[Difference], unwritable: int, restless: int) -> list[Difference]:
        """Step 5. Returns the differences that count."""
        if self._target.may_expire:
            differences = [each for each in differences if each.stored is not None]
        if self._target.pair.source == TRADES.name and differences:
            first_ms = first_trade_day_ms(self._connection) or 0  # a day may have been dropped meanwhile
            differences = [each for each in differences if not is_before(self._target, each, first_ms)]
        self.result.differences += differences
        self.result.unwritable += unwritable
        self.result.restless += restless
        return differences


class Comparison:
    """`sides`: snapshots and cuts. `pace`: called after every table of PostgreSQL and every page of
    the store; a program that must not disturb others waits in it. `found`: called with the
    differences as they are found."""

    def __init__(
        self,
        sides: Source,
        connection: Connection,
        stop: Stop,
        pace: Callable[[], None],
        found: Callable[[Target, list[Difference]], None],
    ) -> None:
        self._sides = sides
        self._connection = connection
        self._stop = stop
        self._pace = pace
        self._found = found

    def run(self, targets: Iterable[Target], window: Window) -> list[TableResult]:
        """Raises StreamStands, StoreUnavailable, psycopg2 errors."""
        works = [Work(target, self._connection, window, self._pace) for target in targets]
        position = 0
        for work in works:  # 1
            with self._sides.snapshot() as cursor:
                position = log_position(cursor)
                work.read_source()
            self._pace()  # not while PostgreSQL keeps a snapshot
            if self._stop.requested:
                return []
        if not works or not self._sides.cut(position).wait(self._stop):  # 2
            return []
        group: dict[Work, list[Identity]] = {}
        for work in works:
            work.read_stored()  # 3
            for candidates in work.candidates(self._sides.snapshot):  # 4
                group.setdefault(work, []).extend(candidates)
                if sum(map(len, group.values())) >= MAX_ROWS_HELD:
                    self._settle(group)
                    group = {}
            if self._stop.requested:
                return []
        self._settle(group)
        return [work.result for work in works]

    def _settle(self, group: dict[Work, list[Identity]]) -> None:  # 5
        candidates = {work: (work.states, identities) for work, identities in group.items()}
        for work, settled in settle(candidates, self._sides, self._stop).items():
            differences = work.settled(*settled)
            if differences:
                self._found(work.result.target, differences)


def is_before(target: Target, difference: Difference, first_ms: int) -> bool:
    """Whether a row that only Cassandra has is of a time before `first_ms`."""
    if difference.expected is not None or difference.stored is None:
        return False
    at = target.stored.key.index(target.pair.time)
    return (difference.stored[at] or b"") < bigint(first_ms)


def label_of(target: Target) -> Callable[[Identity], str]:
    """The symbol of a row; empty for a table that has none."""
    if target.pair.way is Way.EQUAL:
        key = target.stored.key
        if "symbol" not in key or key[0] == "quote_asset":
            return lambda identity: ""
        at = key.index("symbol")
        return lambda identity: identity[at].decode(errors="replace")
    if "symbol" not in target.source.table.primary_key:
        return lambda identity: ""
    place = target.source.table.primary_key.index("symbol")
    return lambda identity: str(identity[place])
