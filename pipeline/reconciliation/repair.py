"""Writes into a store what it should hold, with a version that is newer than what is there and
older than every change that is still to come. Knows PostgreSQL's transactions; decides no
difference.

The version is a time t of PostgreSQL's clock. What is written is read in a snapshot that is taken
once every transaction that was running at t has ended. A transaction that the snapshot does not
show got its number after t, so it commits after t and its changes carry a later version: whatever
the stream brings, before or after this write, the newest state wins. A row of the store with a
version after t, which somebody has written with a clock that is ahead, stays and is reported."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from pipeline.errors import PipelineError
from pipeline.reconciliation.settle import Difference, Source
from pipeline.reconciliation.side import Writer
from pipeline.reconciliation.source_rows import Batch
from pipeline.reconciliation.states import Identity, States
from pipeline.reconciliation.targets import Target, Way
from pipeline.stopping import Stop

MAX_WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05
ROWS_PER_WRITE = 2000


class TransactionsRun(PipelineError):
    """A transaction of PostgreSQL does not end, so no safe version is known. Repeat it later."""

    retriable = True


class Repair:
    """`source`: its snapshots."""

    def __init__(self, writer: Writer, source: Source, stop: Stop) -> None:
        self._writer = writer
        self._source = source
        self._stop = stop

    def write(self, target: Target, differences: Sequence[Difference]) -> None:
        """Writes the rows that can be written; whether they are right afterwards is for another
        comparison to say. Raises TransactionsRun, StoreUnavailable, psycopg2 errors."""
        states = States(target)
        version_us = self._safe_version_us()
        for start in range(0, len(differences), ROWS_PER_WRITE):
            identities = [each.identity for each in differences[start : start + ROWS_PER_WRITE]]
            with self._source.snapshot() as cursor:
                rows, removed = self._present(cursor, target, states, identities)
            self._writer.write(target, rows, removed, version_us)

    def _present(
        self, cursor: Cursor, target: Target, states: States, identities: Sequence[Identity]
    ) -> tuple[Batch, list[Identity]]:
        """The rows as they are in PostgreSQL, and those to remove, which it does not have."""
        rows = states.source_rows(cursor, identities)
        if target.pair.way is not Way.EQUAL or not target.pair.removes_extra:
            return rows, []
        there = states.identified(rows)
        return rows, [key for key in identities if key not in there]

    def _safe_version_us(self) -> int:
        """A time of PostgreSQL's clock before which every transaction that a new snapshot does not
        show cannot have committed. It is taken before the snapshot of its own statement."""
        with self._source.snapshot() as cursor:
            cursor.execute(
                "SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint,"
                " pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            )
            version_us, first_later = cursor.fetchone()
        for _ in range(int(MAX_WAIT_SECONDS / POLL_SECONDS)):
            with self._source.snapshot() as cursor:
                cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
                (oldest_running,) = cursor.fetchone()
            if oldest_running >= first_later:
                return int(version_us)
            if self._stop.wait(POLL_SECONDS):
                break
        raise TransactionsRun(
            f"a transaction of PostgreSQL has been running for {MAX_WAIT_SECONDS:.0f} s, so that nothing can be"
            " repaired safely: see pg_stat_activity, then run this again"
        )
