"""Writes into Cassandra what it should hold, with a version that is newer than what is there and
older than every change that is still to come. Knows the consumer's writer; decides no difference.

The version is a time t of PostgreSQL's clock. What is written is read in a snapshot that is taken
once every transaction that was running at t has ended. A transaction that the snapshot does not
show got its number after t, so it commits after t and its changes carry a later version: whatever
the stream brings, before or after this write, the newest state wins. A row of Cassandra with a
write time after t, which somebody has written with a clock that is ahead, stays and is reported."""

from collections.abc import Sequence

from cassandra.cluster import Session
from psycopg2.extensions import cursor as Cursor

from pipeline.consumer.batches import batches
from pipeline.consumer.statements import EncodedRow, Statements
from pipeline.consumer.writer import Pending, Writer
from pipeline.errors import PipelineError
from pipeline.reconciliation.expectation import Expectation
from pipeline.reconciliation.settle import Difference, Source
from pipeline.reconciliation.states import States
from pipeline.reconciliation.targets import Target, Way
from pipeline.stopping import Stop

MAX_WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05
ROWS_PER_WRITE = 2000


class TransactionsRun(PipelineError):
    """A transaction of PostgreSQL does not end, so no safe version is known. Repeat it later."""

    retriable = True


class Repair:
    """`session`: of the consumer's role."""

    def __init__(self, session: Session, keyspace: str, sides: Source, stop: Stop) -> None:
        self._statements = Statements(session, keyspace)
        self._writer = Writer(session, self._statements)
        self._sides = sides
        self._stop = stop

    def write(self, target: Target, differences: Sequence[Difference]) -> int:
        """Writes the rows that can be written. Returns how many it wrote; whether they are right
        afterwards is for another comparison to say. Raises TransactionsRun, StoreUnavailable,
        psycopg2 errors."""
        states = States(target)
        expectation = Expectation(self._statements, target.pair.source, target.stored, target.expectation.kind)
        version_us = self._safe_version_us()
        written = 0
        for start in range(0, len(differences), ROWS_PER_WRITE):
            identities = [each.identity for each in differences[start : start + ROWS_PER_WRITE]]
            with self._sides.snapshot() as cursor:
                rows = self._rows(cursor, target, states, expectation, identities, version_us)
            pending = Pending(list(batches(rows)))
            self._writer.finish(pending)
            written += len(rows) - len(pending.refused)
        return written

    def _rows(
        self,
        cursor: Cursor,
        target: Target,
        states: States,
        expectation: Expectation,
        identities: Sequence[tuple],
        version_us: int,
    ) -> list[EncodedRow]:
        source_rows = states.source_rows(cursor, identities)
        rows = expectation.encoded([row for row, is_odd in source_rows if not is_odd], version_us, [])
        if target.pair.way is Way.EQUAL and target.pair.removes_extra:
            there = states.identified(source_rows)
            rows += [expectation.removal(key, version_us) for key in identities if key not in there]
        return rows

    def _safe_version_us(self) -> int:
        """A time of PostgreSQL's clock before which every transaction that a new snapshot does not
        show cannot have committed."""
        with self._sides.snapshot() as cursor:
            cursor.execute(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,"
                " pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            )
            version_us, first_later = cursor.fetchone()
        for _ in range(int(MAX_WAIT_SECONDS / POLL_SECONDS)):
            with self._sides.snapshot() as cursor:
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
