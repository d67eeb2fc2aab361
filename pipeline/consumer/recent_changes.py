"""The last changes of each table: what a TRUNCATE that is read after them may have removed although
their versions are not below its own. Knows no Kafka and no Cassandra."""

from collections import defaultdict, deque
from collections.abc import Iterator
from itertools import chain

from pipeline.changes import Change
from pipeline.consumer.poll import Poll
from pipeline.tables import TABLES

# Per table, so that a bulk update or a snapshot of one does not push out the changes of another; at
# most two full polls of it.
MAX_CHANGES = 10_000
# Of the records of all tables; few changes when rows are large.
MAX_BYTES = 32 * 1024 * 1024


def keeps_history(table: str) -> bool:
    """Whether a row in Cassandra stays when PostgreSQL's is gone."""
    known = TABLES.get(table)
    return known is not None and known.keeps_history


class TableChanges:
    """The changes of one table, by poll: bytes of their records, changes."""

    def __init__(self) -> None:
        self.polls: deque[tuple[int, list[Change]]] = deque()
        self.bytes = self.count = 0

    def add(self, size: int, changes: list[Change]) -> None:
        self.polls.append((size, changes))
        self.bytes += size
        self.count += len(changes)

    def drop_oldest(self) -> int:
        """Returns the bytes that it frees."""
        size, changes = self.polls.popleft()
        self.bytes -= size
        self.count -= len(changes)
        return size


class RecentChanges:
    """Bounded per table by number, and in total by the bytes of the records. Rows of a snapshot are
    not among them: they have no position in PostgreSQL's log, so no TRUNCATE is known to follow."""

    def __init__(self) -> None:
        self._tables: dict[str, TableChanges] = defaultdict(TableChanges)
        self._bytes = 0

    def add(self, poll: Poll) -> None:
        found: dict[str, tuple[list[int], list[Change]]] = {}
        for position, change in poll.changes:
            if change.lsn is not None and not keeps_history(change.table):
                sizes, changes = found.setdefault(change.table, ([], []))
                sizes.append(len(poll.records[position].value or b""))
                changes.append(change)
        for table, (sizes, changes) in found.items():
            self._tables[table].add(sum(sizes), changes)
            self._bytes += sum(sizes)
            while self._tables[table].count > MAX_CHANGES:
                self._bytes -= self._tables[table].drop_oldest()
        while self._bytes > MAX_BYTES:
            self._bytes -= max(self._tables.values(), key=lambda changes: changes.bytes).drop_oldest()

    def of(self, table: str) -> Iterator[Change]:
        """The table's, the oldest first."""
        known = self._tables.get(table)
        return chain.from_iterable(changes for _, changes in known.polls) if known else iter(())
