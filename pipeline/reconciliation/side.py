"""What a store offers to be compared with PostgreSQL and repaired. Cassandra and Redis each do;
nothing here knows them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pipeline.reconciliation.settle import Source
from pipeline.reconciliation.source_rows import Batch
from pipeline.reconciliation.states import Identity
from pipeline.reconciliation.targets import Target


class Writer(Protocol):
    def write(self, target: Target, rows: Batch, removed: Sequence[Identity], version_us: int) -> None:
        """Writes what the store should hold for these rows of PostgreSQL, and removes those that
        PostgreSQL does not have. Whatever has a later version stays. Raises StoreUnavailable."""


class Side(Source, Protocol):
    @property
    def notes(self) -> list[str]:
        """What is not compared, and why; known once `targets` has returned."""

    def targets(self, names: frozenset[str] | None) -> list[Target]:
        """Of the tables with these names; None: all. Raises BadSetting for a name that is none,
        StoreUnavailable, psycopg2 errors."""

    def writer(self) -> AbstractContextManager[Writer]:
        """Connected with the right to write."""
