"""Which of the rows that looked different are. Rows are changed while they are compared, and their
changes are on their way: neither is a difference. Knows no table.

A row is equal as soon as the store has one of the states that PostgreSQL had since the last cut. It
is a difference if the store's state was the same before a cut was made and after it has passed, and
equals none of the states that PostgreSQL had in between: by then the store would have received
every change that made it right."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeVar

from psycopg2.extensions import cursor as Cursor

from pipeline.reconciliation.cut import Cut, log_position
from pipeline.reconciliation.expectation import UNWRITABLE, Expected
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.states import Identity, States
from pipeline.stopping import Stop

# Rows that change all the time are looked at again, until this many cuts have passed.
MAX_CUTS = 6
# Many rows take their time to be read; few are read often, so that a moment is met in which a row
# that changes all the time is at rest.
PAUSE_SECONDS, LONG_PAUSE_SECONDS, MANY_ROWS = 0.1, 1.0, 500


class Difference(NamedTuple):
    """`expected` is None for a row that only the store has, `stored` for one that it lacks."""

    identity: Identity
    expected: Expected | None
    stored: RawRow | None

    @property
    def kind(self) -> str:
        return "missing" if self.stored is None else "extra" if self.expected is None else "different"


class Settled(NamedTuple):
    """`unwritable`: rows that are dead letters. `restless`: rows that never came to rest, so that
    nothing can be said of them."""

    differences: list[Difference]
    unwritable: int
    restless: int


class Source(Protocol):
    def snapshot(self) -> AbstractContextManager[Cursor]:
        """One state of PostgreSQL for all queries of the cursor."""

    def cut(self, position: int) -> Cut:
        """When everything before this position is in the store."""


class Suspect:
    """One row that looked different. `states`: those of PostgreSQL since the last cut, the newest
    last. `before`: the store's state before the cut that is waited for."""

    __slots__ = ("before", "states", "stored")

    def __init__(self) -> None:
        self.states: list[Expected | None] = []
        self.stored: RawRow | None = None
        self.before: RawRow | None = None

    def saw(self, state: Expected | None, stored: RawRow | None) -> None:
        if not self.states or self.states[-1] != state:
            self.states.append(state)
        self.stored = stored

    @property
    def is_equal(self) -> bool:
        return any((None if state is None else state.row) == self.stored for state in self.states)

    @property
    def is_unwritable(self) -> bool:
        return any(state is not None and state.row is UNWRITABLE for state in self.states)


class Suspects:
    """The rows of one table that are not settled yet."""

    def __init__(self, states: States, identities: Iterable[Identity]) -> None:
        self._states = states
        self.rows = {identity: Suspect() for identity in identities}
        self._differences: list[Difference] = []
        self._unwritable = 0

    def look(self, cursor: Cursor) -> None:
        """Reads both sides, first PostgreSQL, and drops the rows that are equal and those that can
        never be."""
        identities = list(self.rows)
        if not identities:
            return
        found = self._states.source(cursor, identities)
        stored = self._states.stored(identities, found)
        for identity, each in list(self.rows.items()):
            each.saw(found[identity], stored.get(identity))
            if each.is_unwritable or each.is_equal:
                self._unwritable += each.is_unwritable
                del self.rows[identity]

    def begin_cut(self) -> None:
        for each in self.rows.values():
            each.before = each.stored
            each.states.clear()

    def end_cut(self) -> None:
        for identity, each in list(self.rows.items()):
            if each.before == each.stored:
                self._differences.append(Difference(identity, each.states[-1], each.stored))
                del self.rows[identity]

    def settled(self) -> Settled:
        return Settled(self._differences, self._unwritable, len(self.rows))


Table = TypeVar("Table")


def settle(
    candidates: Mapping[Table, tuple[States, Iterable[Identity]]], source: Source, stop: Stop
) -> dict[Table, Settled]:
    """By table: its states, and the rows that looked different. Raises StreamStands when a cut does
    not pass, StoreUnavailable, psycopg2 errors."""
    suspects = {table: Suspects(*rows) for table, rows in candidates.items()}

    def left() -> int:
        return sum(len(each.rows) for each in suspects.values())

    def look() -> int:
        with source.snapshot() as cursor:
            position = log_position(cursor)
            for each in suspects.values():
                each.look(cursor)
        return position

    look()
    for _ in range(MAX_CUTS):
        if not left() or stop.requested:
            break
        for each in suspects.values():
            each.begin_cut()
        cut = source.cut(look())
        while left() and not cut.has_passed():
            if stop.wait(LONG_PAUSE_SECONDS if left() > MANY_ROWS else PAUSE_SECONDS):
                break
            look()
        else:
            look()  # behind the cut
            for each in suspects.values():
                each.end_cut()
    return {table: each.settled() for table, each in suspects.items()}
