"""Groups the rows of a poll into batches of one Cassandra partition each. Knows sizes; sends nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cassandra.query import UNSET_VALUE

from pipeline.sink.statements import EncodedRow

# Measured (DESIGN 2.3): 200 rows of one partition in a batch are 1.5 times as fast as 30. Past a few hundred rows
# nothing is gained, and a batch that fails costs more to take apart.
MAX_ROWS = 200
# Far below Cassandra's hard limit for a mutation (half a commit-log segment, 16 MiB); keeps one reply time short.
MAX_BATCH_BYTES = 64 * 1024


class Versioned(NamedTuple):
    """An encoded row, the version that orders it and the position of its record in the poll."""

    row: EncodedRow
    version_us: int
    position: int


def newest(rows: Iterable[Versioned]) -> list[Versioned]:
    """Several changes of one row in a poll: only the newest is written. Of equal versions (changes in one
    transaction share the commit time) the later record wins, which is PostgreSQL's order."""
    latest: dict[tuple, Versioned] = {}
    for row in rows:
        known = latest.get(row.row.identity)
        if known is None:
            latest[row.row.identity] = row
        elif row.version_us >= known.version_us:
            latest[row.row.identity] = completed(row, known)
    return list(latest.values())


def completed(newer: Versioned, older: Versioned) -> Versioned:
    """The newer state of a row; a column that it left out (an unchanged TOASTed value) is as the older one had it."""
    if newer.row.statement is not older.row.statement or UNSET_VALUE not in newer.row.values:
        return newer
    values = [
        before if after is UNSET_VALUE else after for after, before in zip(newer.row.values, older.row.values)
    ]
    return newer._replace(row=newer.row._replace(values=values, size_bytes=newer.row.size_bytes + older.row.size_bytes))


def batches(rows: Iterable[Versioned]) -> Iterator[list[Versioned]]:
    """The rows by statement and Cassandra partition, in batches bounded by rows and bytes."""
    groups: dict[tuple, list[Versioned]] = defaultdict(list)
    for row in rows:
        groups[id(row.row.statement), row.row.partition].append(row)
    for group in groups.values():
        batch: list[Versioned] = []
        size_bytes = 0
        for row in group:
            if batch and (len(batch) >= MAX_ROWS or size_bytes + row.row.size_bytes > MAX_BATCH_BYTES):
                yield batch
                batch, size_bytes = [], 0
            batch.append(row)
            size_bytes += row.row.size_bytes
        yield batch
