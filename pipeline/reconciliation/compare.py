"""One target: digests of both sides, then the rows of the buckets that differ, then those that
still differ behind another cut. Knows the order of the steps; knows neither SQL nor CQL."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from psycopg2.extensions import connection as Connection

from pipeline.reconciliation.chunks import Chunk, Scope, scope_of
from pipeline.reconciliation.cut import log_position
from pipeline.reconciliation.digests import Digests
from pipeline.reconciliation.expectation import UNWRITABLE
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.settle import Difference, Source, settle
from pipeline.reconciliation.states import Identity, States
from pipeline.reconciliation.targets import Target, Way
from pipeline.reconciliation.window import Window
from pipeline.stopping import Stop

# A bucket holds a handful of rows, so that a different row brings few others into the second step.
BUCKETS_OF_TABLE, BUCKETS_OF_HOUR = 2**17, 2**13
# Rows held at the same time in the second step.
MAX_ROWS_HELD = 50_000


@dataclass(slots=True)
class TableResult:
    """`rows`: compared, by label (the symbol, where the table has one). `equal_to_ms`: what was
    committed before it was compared."""

    shown: str
    rows: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    unwritable: int = 0
    restless: int = 0
    notes: list[str] = field(default_factory=list)


class Comparison:
    """`sides`: snapshots and cuts. `pace`: called after every batch and page; a program that must
    not disturb others waits in it. `found`: called with the differences as they are found."""

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

    def run(self, target: Target, window: Window) -> TableResult:
        """Raises StreamStands, StoreUnavailable, psycopg2 errors."""
        result = TableResult(target.shown)
        states = States(target)
        scope = scope_of(target, self._connection, window)
        groups = self._differing if target.pair.way is Way.EQUAL else self._all
        for candidates in groups(target, scope, states, result):
            settled = settle(states, self._sides, candidates, self._stop)
            differences = [each for each in settled.differences if not (target.may_expire and each.stored is None)]
            result.differences += differences
            result.unwritable += settled.unwritable
            result.restless += settled.restless
            if differences:
                self._found(target, differences)
            if self._stop.requested:
                break
        return result

    def _all(self, target: Target, scope: Scope, states: States, result: TableResult) -> Iterator[list[Identity]]:
        """Every row of PostgreSQL, in groups: each is looked up in Cassandra."""
        group: list[Identity] = []
        for chunk in scope.chunks:
            with self._sides.snapshot():
                batches = [list(states.identified(batch)) for batch in scope.source(target, self._connection, chunk)]
            for batch in batches:
                result.rows.update(map(label_of(target), batch))
                group += batch
        for start in range(0, len(group), MAX_ROWS_HELD):
            yield group[start : start + MAX_ROWS_HELD]

    def _differing(self, target: Target, scope: Scope, states: States, result: TableResult) -> Iterator[list[Identity]]:
        """The rows of the buckets whose digests differ, as far as they look different."""
        digests = self._digests(target, scope, result)
        for chunk, digest in zip(scope.chunks, digests):
            for is_wanted in digest.groups(MAX_ROWS_HELD):
                yield self._candidates(target, scope, chunk, is_wanted)

    def _digests(self, target: Target, scope: Scope, result: TableResult) -> list[Digests]:
        buckets = BUCKETS_OF_TABLE if len(scope.chunks) == 1 else BUCKETS_OF_HOUR
        digests = [Digests(buckets, len(target.stored.key)) for _ in scope.chunks]
        label = label_of(target)
        with self._sides.snapshot() as cursor:
            position = log_position(cursor)
            for chunk, digest in zip(scope.chunks, digests):
                for batch in scope.source(target, self._connection, chunk):
                    expected = target.expectation.expected(batch)
                    digest.add(state.row for state in expected if state.row is not UNWRITABLE)
                    result.rows.update(label(state.key) for state in expected)
                    self._pace()
        if self._sides.cut(position).wait(self._stop):
            for chunk, digest in zip(scope.chunks, digests):
                for page in scope.stored(target, chunk):
                    digest.take(page)
                    self._pace()
            return digests
        return []

    def _candidates(
        self, target: Target, scope: Scope, chunk: Chunk, is_wanted: Callable[[RawRow], bool]
    ) -> list[Identity]:
        """Both sides once more, row by row, only the wanted buckets."""
        key = slice(0, len(target.stored.key))
        held: dict[RawRow, RawRow] = {}
        with self._sides.snapshot():
            for batch in scope.source(target, self._connection, chunk):
                for state in target.expectation.expected(batch):
                    if is_wanted(state.key):
                        held[state.key] = state.row
                self._pace()
        only_stored: list[Identity] = []
        for page in scope.stored(target, chunk):
            for row in page:
                if is_wanted(row[key]) and held.get(row[key]) != row:
                    if row[key] not in held:
                        only_stored.append(row[key])
                elif row[key] in held:
                    del held[row[key]]
            self._pace()
        return [*held, *only_stored]


def label_of(target: Target) -> Callable[[Identity], str]:
    """The symbol of a row; empty for a table that has none."""
    if target.pair.way is Way.EQUAL:
        key = target.stored.key
        if "symbol" not in key or key[0] == "quote_asset":
            return lambda identity: ""
        at = key.index("symbol")
        return lambda identity: identity[at].decode()
    if "symbol" not in target.source.table.primary_key:
        return lambda identity: ""
    place = target.source.table.primary_key.index("symbol")
    return lambda identity: str(identity[place])
