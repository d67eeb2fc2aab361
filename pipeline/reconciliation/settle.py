"""Which of the rows that looked different are. Rows are changed while they are compared, and their
changes are on their way: neither is a difference. Knows no table.

A row is equal as soon as Cassandra has one of the states that PostgreSQL had since the last cut. It
is a difference if Cassandra's state was the same before a cut was made and after it has passed, and
equals none of the states that PostgreSQL had in between: by then Cassandra would have received
every change that made it right."""

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from psycopg2.extensions import cursor as Cursor

from pipeline.reconciliation.cut import Cut, log_position
from pipeline.reconciliation.expectation import UNWRITABLE, Expected
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.states import Identity, States
from pipeline.stopping import Stop

log = logging.getLogger(__name__)

# Rows that change all the time are looked at again, until this many cuts have passed.
MAX_CUTS = 6
# Many rows take their time to be read, few are read often, so that a moment is met in which a row
# that changes all the time is at rest.
PAUSE_SECONDS, LONG_PAUSE_SECONDS, MANY_ROWS = 0.1, 1.0, 500


class Difference(NamedTuple):
    """`expected` is None for a row that only Cassandra has, `stored` for one that it lacks."""

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
        """When everything before this position is in Cassandra."""


class Suspect:
    """One row that looked different. `states`: those of PostgreSQL since the last cut, the newest
    last. `before`: Cassandra's state before the cut that is waited for."""

    __slots__ = ("before", "states", "stored")

    def __init__(self) -> None:
        self.states: list[Expected | None] = []
        self.stored: RawRow | None = None
        self.before: RawRow | None = None

    def saw(self, state: Expected | None) -> None:
        if not self.states or self.states[-1] != state:
            self.states.append(state)

    @property
    def is_equal(self) -> bool:
        return any((None if state is None else state.row) == self.stored for state in self.states)

    @property
    def is_unwritable(self) -> bool:
        return any(state is not None and state.row is UNWRITABLE for state in self.states)


def settle(states: States, source: Source, candidates: Iterable[Identity], stop: Stop) -> Settled:
    """Raises StreamStands when a cut does not pass, StoreUnavailable, psycopg2 errors."""
    suspects = {identity: Suspect() for identity in candidates}
    differences: list[Difference] = []
    unwritable = 0
    look(states, source, suspects)
    for _ in range(MAX_CUTS):
        unwritable += drop_settled(suspects)
        if not suspects or stop.requested:
            break
        for each in suspects.values():
            each.before = each.stored
            each.states.clear()
        cut = source.cut(look(states, source, suspects))
        while suspects and not cut.has_passed():
            unwritable += drop_settled(suspects)
            if stop.wait(LONG_PAUSE_SECONDS if len(suspects) > MANY_ROWS else PAUSE_SECONDS):
                return Settled(differences, unwritable, len(suspects))
            look(states, source, suspects)
        look(states, source, suspects)  # behind the cut
        unwritable += drop_settled(suspects)
        for identity, each in list(suspects.items()):
            if each.before == each.stored:
                differences.append(Difference(identity, each.states[-1], each.stored))
                del suspects[identity]
    return Settled(differences, unwritable, len(suspects))


def look(states: States, source: Source, suspects: dict[Identity, Suspect]) -> int:
    """Reads both sides, first PostgreSQL: what Cassandra has then may be newer, never older for
    lack of time. Returns the position of the snapshot."""
    identities = list(suspects)
    with source.snapshot() as cursor:
        position = log_position(cursor)
        found = states.source(cursor, identities)
    stored = states.stored(identities, found)
    for identity, each in suspects.items():
        each.saw(found[identity])
        each.stored = stored.get(identity)
    return position


def drop_settled(suspects: dict[Identity, Suspect]) -> int:
    """Removes the rows that are equal, and those that can never be; returns how many the latter
    are."""
    unwritable = 0
    for identity, each in list(suspects.items()):
        if each.is_unwritable:
            unwritable += 1
            del suspects[identity]
        elif each.is_equal:
            del suspects[identity]
    return unwritable
