"""Brings the rows that exist already: requests a snapshot of one table, shows how many rows have
arrived, and compares at the end. Knows what it waits for; the answers come from the files beside
it."""

import time
from collections.abc import Callable

from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring import postgres_table
from pipeline.mirroring.cassandra_table import CassandraTable
from pipeline.mirroring.comparison import Comparison, compare
from pipeline.mirroring.console import Console
from pipeline.mirroring.kafka_progress import KafkaProgress, Position
from pipeline.mirroring.plan import Plan
from pipeline.mirroring.refusal import MirrorIncomplete
from pipeline.snapshot_request import has_confirmed, request_snapshot

POLL_SECONDS = 0.3
# Without any progress for so long, something does not run. Debezium's start, its longest pause,
# takes about 20 s.
MAX_QUIET_SECONDS = 90.0
# A snapshot that a restart of the connector interrupted is requested again.
MAX_REQUESTS = 3
# A comparison reads the whole table in PostgreSQL and in Cassandra.
COMPARE_AGAIN_SECONDS = 3.0
# A table that is written to is compared again, because its last changes may be on their way.
MAX_COMPARISONS = 3


class Snapshot:
    """One table's snapshot. `clock` and `sleep` are passed in for tests."""

    def __init__(
        self,
        cursor: Cursor,
        progress: KafkaProgress,
        table: CassandraTable,
        plan: Plan,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cursor = cursor
        self._progress = progress
        self._table = table
        self._plan = plan
        self._console = console
        self._clock = clock
        self._sleep = sleep

    def take(self) -> Comparison:
        """Until Cassandra equals PostgreSQL. Raises MirrorIncomplete when nothing moves, or when
        rows differ although everything was written."""
        if not postgres_table.slot_is_read(self._cursor):
            raise MirrorIncomplete(
                "Debezium does not read PostgreSQL now, so no snapshot can be taken: start the stack, or see the "
                "log of the guard; then run this again"
            )
        for _ in range(MAX_REQUESTS):
            comparison = self._request()
            if comparison is not None:
                return comparison
            self._console.line("  the snapshot was interrupted: requested again")
        return self._compare()

    def _request(self) -> Comparison | None:
        """One request, until all its rows are written. None if Debezium has ended the snapshot with
        fewer rows than there are: it was restarted meanwhile."""
        expected = self._plan.expected_rows
        start = self._progress.position()
        began = moved_at = compare_at = self._clock()
        lsn = request_snapshot(self._cursor, [self._plan.source.name])
        last = Position()
        while True:
            # In this order: what was confirmed is in the position.
            confirmed = has_confirmed(self._cursor, lsn)
            now = self._progress.position()
            moved = now.since(start)
            if moved != last:
                last, moved_at = moved, self._clock()
            self._show(moved, self._clock() - began)
            if confirmed and moved.received < expected:
                return None
            if now.pending <= 0 and moved.written >= expected and (confirmed or self._clock() >= compare_at):
                comparison = self._compare() if confirmed else compare(self._cursor, self._table, self._plan)
                if comparison.equal or confirmed:
                    return comparison
                compare_at = self._clock() + COMPARE_AGAIN_SECONDS
            if self._clock() - moved_at > MAX_QUIET_SECONDS:
                raise MirrorIncomplete(self._why_quiet(moved))
            self._sleep(POLL_SECONDS)

    def _compare(self) -> Comparison:
        """When everything has been written: once more if changes may have been on their way, and
        again while a program changes the number of rows."""
        comparison = compare(self._cursor, self._table, self._plan)
        for attempt in range(MAX_COMPARISONS):
            if comparison.equal or (attempt and comparison.rows_before == comparison.rows):
                break
            comparison = compare(self._cursor, self._table, self._plan, settle_seconds=1)
        return comparison

    def _show(self, moved: Position, seconds: float) -> None:
        total = self._plan.facts.total
        if not moved.received:
            self._console.progress(f"  snapshot requested, waiting for Debezium ({seconds:.0f} s)")
            return
        # Changes that are streamed meanwhile are counted as well.
        written = min(moved.written, total)
        rate = moved.written / seconds if seconds else 0.0
        share = 100 * written // max(total, 1)
        self._console.progress(
            f"  {written:,} of {total:,} rows written ({share} %), {moved.received:,} in Kafka, {rate:,.0f} rows/s"
        )

    def _why_quiet(self, moved: Position) -> str:
        waited = f"nothing has moved for {MAX_QUIET_SECONDS:.0f} s"
        if not moved.received:
            return f"{waited}: Debezium has sent no row. See the logs of Connect and of the guard, then run this again"
        if moved.pending > 0:
            return f"{waited}: {moved.pending:,} records wait for the consumer. See its log, then run this again"
        return f"{waited}: {moved.written:,} of {self._plan.facts.total:,} rows were written. Run this again"
