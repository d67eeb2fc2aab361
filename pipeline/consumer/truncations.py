"""TRUNCATE of a captured table: its mirror in Cassandra is emptied, of all rows that are older and
of none that is newer. Knows Cassandra and that the records of a table are in several Kafka
partitions, which are read independently of each other; reads none of them.

A delete with the version "just before the TRUNCATE" (its commit time less 1 µs) removes the older
rows and no newer one, whatever has been written already. But a record that is older may be read
later, in another Kafka partition, by another consumer. So it is done twice: at once, and when the
group has read everything that was in Kafka then. In between, what is stored in the table
`truncations` tells every consumer, also after a restart.

Rows that were written before may have a version that is not below the TRUNCATE's: those of its own
transaction, and those that changed very often just before. Each of them gets a delete of its own
from the consumer that has written it, as soon as that one learns of the TRUNCATE."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from cassandra import DriverException
from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.metadata import TableMetadata

from pipeline.cassandra_session import UNAVAILABLE_ERRORS
from pipeline.changes import Change, Truncation
from pipeline.consumer.poll import Poll
from pipeline.consumer.recent_changes import RecentChanges, keeps_history
from pipeline.errors import StoreUnavailable

log = logging.getLogger(__name__)

TABLE = "truncations"
# How often the stored truncations are read and looked after.
CHECK_SECONDS = 5.0
RETRY_SECONDS = 30.0
# Records that Debezium had sent before the TRUNCATE are in Kafka after this time: its producer
# writes to the partitions of a topic independently.
SETTLE_SECONDS = 10.0
PAGE_ROWS = 1000
REQUESTS_IN_FLIGHT = 64


@dataclass(slots=True)
class Stored:
    """A truncation as Cassandra holds it. `ends`: the end offsets that the group must have read
    before the second delete; empty until they are known. `own`: this consumer has read its
    record."""

    truncation: Truncation
    ends: Mapping[int, int]
    done: bool
    seen_at: float
    own: bool


def precedes(change: Change, truncation: Truncation) -> bool:
    """Whether the change is before the TRUNCATE in PostgreSQL's log. That of a snapshot row is not
    known."""
    same = (change.commit_us, change.transaction) == (truncation.commit_us, truncation.transaction)
    is_known = change.lsn is not None and change.lsn < truncation.lsn
    return is_known and (same or change.commit_us < truncation.commit_us)


def removed(change: Change) -> Change:
    """The delete of the row as this change has left it. It is no update: the delete that belongs to
    an update is older than the update's own row."""
    return change._replace(deleted=True, op="t", before=None)


class Truncations:
    """`ends(table)` and `is_read(table, ends)`: see RecordSource. `progress` is called while a
    large table is emptied."""

    def __init__(
        self,
        session: Session,
        keyspace: str,
        ends: Callable[[str], dict[int, int]],
        is_read: Callable[[str, Mapping[int, int]], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._keyspace = keyspace
        self._ends = ends
        self._is_read = is_read
        self._clock = clock
        self._stored: dict[str, Stored] = {}
        self._recent = RecentChanges()
        self._owed: list[Change] = []
        self._check_at = float("-inf")
        self._warned: set[tuple[str, int]] = set()

    def commit_times(self) -> Iterator[tuple[str, int]]:
        """Table and commit time in µs of every known truncation."""
        for table, stored in self._stored.items():
            yield table, stored.truncation.commit_us

    def apply(self, poll: Poll) -> None:
        """Take the changes of removed rows out of the poll, and put in the deletes of rows that
        were written before."""
        for position, truncation in poll.truncations:
            self._note(truncation)
            poll.changes += [(position, delete) for delete in self._deletes_of(truncation)]
            poll.changes.sort(key=itemgetter(0))
        if any(not stored.done for stored in self._stored.values()):
            poll.changes = [pair for pair in poll.changes if pair[1].deleted or not self.removes(pair[1])]
        self._recent.add(poll)

    def removes(self, change: Change) -> bool:
        """Whether a truncation that is not finished has removed the row of this change."""
        stored = self._stored.get(change.table)
        return stored is not None and not stored.done and precedes(change, stored.truncation)

    def owed(self) -> list[Change]:
        """The deletes of rows that this consumer has written and a TRUNCATE that another one has
        read has removed; each is returned once."""
        owed, self._owed = self._owed, []
        return owed

    def _deletes_of(self, truncation: Truncation) -> list[Change]:
        """Of the rows that this consumer has written lately, whose versions the delete of whole
        partitions does not reach."""
        return [
            removed(change)
            for change in self._recent.of(truncation.table)
            if not change.deleted and change.version_us >= truncation.commit_us and precedes(change, truncation)
        ]

    def _note(self, truncation: Truncation) -> None:
        """From now on `removes` knows it. One that is read again (a restart, a new group that reads
        the topic from its start) is carried out again: rows before it may have come back."""
        stored = self._stored.get(truncation.table)
        is_newest = stored is None or stored.truncation.commit_us <= truncation.commit_us
        if is_newest and not self._is_ignored(truncation):
            self._stored[truncation.table] = Stored(truncation, {}, False, self._clock(), True)

    def start(self, truncations: Iterable[Truncation], progress: Callable[[], None]) -> None:
        """Store the truncations and remove the older rows. Raises StoreUnavailable if they cannot
        be stored; then call it again. If rows cannot be removed now, `look_after` removes them."""
        for truncation in truncations:
            stored = self._stored.get(truncation.table)
            if stored is not None and stored.truncation == truncation:
                self._store(stored)
                self._try_to_empty(truncation, progress)

    def look_after(self, progress: Callable[[], None]) -> None:
        """Read what other consumers have stored; finish what has waited long enough. Raises
        StoreUnavailable and KafkaError; a later call goes on."""
        if self._clock() < self._check_at:
            return
        self._check_at = self._clock() + CHECK_SECONDS
        self._load()
        for stored in list(self._stored.values()):
            if not stored.done and self._clock() - stored.seen_at >= SETTLE_SECONDS:
                self._finish(stored, progress)

    def _finish(self, stored: Stored, progress: Callable[[], None]) -> None:
        table = stored.truncation.table
        if not stored.ends:
            stored.ends = self._ends(table)
            self._store(stored)
        if self._is_read(table, stored.ends) and self._try_to_empty(stored.truncation, progress):
            stored.done = True
            self._store(stored)

    def _try_to_empty(self, truncation: Truncation, progress: Callable[[], None]) -> bool:
        """False, with a warning, when Cassandra did not confirm it: the stream of all tables does
        not wait for one table."""
        try:
            self._empty(truncation, progress)
        except (*UNAVAILABLE_ERRORS, DriverException) as error:
            self._check_at = self._clock() + RETRY_SECONDS
            facts = {"table": truncation.table, "next_try_s": RETRY_SECONDS, "error": str(error).strip()}
            log.warning("truncate_unfinished", extra=facts)
            return False
        return True

    def _is_ignored(self, truncation: Truncation) -> bool:
        table = truncation.table
        if not keeps_history(table):
            return False
        if (table, truncation.commit_us) not in self._warned:
            self._warned.add((table, truncation.commit_us))
            remedy = "the history in Cassandra is kept; to remove it as well, TRUNCATE the table there"
            log.warning("truncate_ignored", extra={"table": table, "remedy": remedy})
        return True

    def _empty(self, truncation: Truncation, progress: Callable[[], None]) -> None:
        metadata = self._session.cluster.metadata.keyspaces[self._keyspace].tables.get(truncation.table)
        if metadata is None:
            return
        began, partitions = time.monotonic(), 0
        version_us = truncation.commit_us - 1
        for page in self._partition_pages(metadata):
            self._delete(metadata, page, version_us)
            partitions += len(page)
            progress()
        took_ms = round((time.monotonic() - began) * 1000)
        log.info("truncated", extra={"table": truncation.table, "partitions": partitions, "took_ms": took_ms})

    def _partition_pages(self, table: TableMetadata) -> Iterator[list[tuple]]:
        columns = ", ".join(f'"{column.name}"' for column in table.partition_key)
        query = self._session.prepare(f'SELECT DISTINCT {columns} FROM "{self._keyspace}"."{table.name}"')
        query.fetch_size = PAGE_ROWS
        rows = self._session.execute(query)
        while True:
            yield [tuple(row) for row in rows.current_rows]
            if not rows.has_more_pages:
                return
            rows.fetch_next_page()

    def _delete(self, table: TableMetadata, keys: list[tuple], version_us: int) -> None:
        where = " AND ".join(f'"{column.name}" = ?' for column in table.partition_key)
        name = f'"{self._keyspace}"."{table.name}"'
        delete = self._session.prepare(f"DELETE FROM {name} USING TIMESTAMP ? WHERE {where}")
        execute_concurrent_with_args(
            self._session, delete, [(version_us, *key) for key in keys], concurrency=REQUESTS_IN_FLIGHT
        )

    def _store(self, stored: Stored) -> None:
        truncation = stored.truncation
        values = (
            truncation.table,
            truncation.commit_us,
            truncation.lsn,
            truncation.transaction,
            dict(stored.ends),
            stored.done,
        )
        columns = "table_name, commit_us, lsn, transaction_id, ends, done"
        self._execute(f"INSERT INTO {self._keyspace}.{TABLE} ({columns}) VALUES (%s, %s, %s, %s, %s, %s)", values)

    def _load(self) -> None:
        query = f"SELECT table_name, commit_us, lsn, transaction_id, ends, done FROM {self._keyspace}.{TABLE}"
        for table, commit_us, lsn, transaction, ends, done in self._execute(query):
            known = self._stored.get(table)
            if known is None or known.truncation.commit_us < commit_us:
                truncation = Truncation(table, commit_us, lsn, transaction)
                self._stored[table] = Stored(truncation, ends or {}, bool(done), self._clock(), False)
                self._owed += self._deletes_of(truncation)
            elif known.truncation.commit_us == commit_us and not known.own:
                known.ends, known.done = ends or {}, bool(done)

    def _execute(self, query: str, values: tuple = ()) -> list[tuple]:
        try:
            return list(self._session.execute(query, values))
        except (*UNAVAILABLE_ERRORS, DriverException) as error:
            raise StoreUnavailable(f"{TABLE}: {error}") from error
