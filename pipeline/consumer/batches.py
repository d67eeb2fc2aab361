"""Groups the rows of a poll into batches of one Cassandra partition each. Knows sizes; sends
nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from cassandra.query import UNSET_VALUE

from pipeline.changes import DELETE
from pipeline.consumer.statements import EncodedRow

# Measured: batches of 200 rows of one partition are 1.5 times as fast as batches of 30. Beyond a
# few hundred rows nothing is gained, and a batch that fails costs more to split.
MAX_ROWS = 200
# Far below Cassandra's hard limit for a mutation (half a commit-log segment, 16 MiB), so that each
# request is answered quickly.
MAX_BATCH_BYTES = 64 * 1024


def newest(rows: Sequence[EncodedRow]) -> list[EncodedRow]:
    """Several changes of one row in a poll: only the newest is written. Of equal versions (changes
    in one transaction share the commit time) the later record wins, which is PostgreSQL's order. A
    delete before a newest state that leaves columns unset is written as well: otherwise those
    columns would keep what they held before the delete."""
    latest = {row.identity: row for row in rows}
    if len(latest) == len(rows):
        return list(rows)
    latest.clear()
    deletes: dict[tuple[Any, ...], EncodedRow] = {}
    for row in rows:
        previous = latest.get(row.identity)
        if previous is None:
            latest[row.identity] = row
            continue
        if row.version_us >= previous.version_us:
            latest[row.identity], row = completed(row, previous), previous
        if row.statement.kind == DELETE:  # a delete that is not the newest state
            known = deletes.get(row.identity)
            if known is None or row.version_us > known.version_us:
                deletes[row.identity] = row
    return [*needed(deletes, latest), *latest.values()]


def needed(
    deletes: dict[tuple[Any, ...], EncodedRow], latest: dict[tuple[Any, ...], EncodedRow]
) -> Iterator[EncodedRow]:
    """The deletes that matter beside the newest states, each with a smaller version than its row's
    newest state: of equal versions Cassandra would let the delete win."""
    for identity, delete in deletes.items():
        newest_state = latest[identity]
        if newest_state.statement.kind != DELETE and UNSET_VALUE in newest_state.values:
            version_us = min(delete.version_us, newest_state.version_us - 1)
            yield delete if version_us == delete.version_us else delete.with_version(version_us)


def completed(newer: EncodedRow, older: EncodedRow) -> EncodedRow:
    """The newer state of a row; a column that it leaves out (an unchanged TOASTed value) keeps the
    value of the older state."""
    if newer.statement is not older.statement or UNSET_VALUE not in newer.values:
        return newer
    values = tuple(before if after is UNSET_VALUE else after for after, before in zip(newer.values, older.values))
    return newer._replace(values=values, size_bytes=newer.size_bytes + older.size_bytes)


def batches(rows: Iterable[EncodedRow]) -> Iterator[list[EncodedRow]]:
    """The rows by statement and Cassandra partition, in batches bounded by rows and bytes."""
    groups: dict[tuple, list[EncodedRow]] = defaultdict(list)
    for row in rows:
        groups[row.partition].append(row)
    for group in groups.values():
        for start in range(0, len(group), MAX_ROWS):
            yield from bounded_bytes(group[start : start + MAX_ROWS])


def bounded_bytes(rows: list[EncodedRow]) -> Iterator[list[EncodedRow]]:
    """All rows in one batch, or in as many batches as their bytes need."""
    if sum(map(attrgetter("size_bytes"), rows)) <= MAX_BATCH_BYTES:
        yield rows
        return
    batch: list[EncodedRow] = []
    size_bytes = 0
    for row in rows:
        if batch and size_bytes + row.size_bytes > MAX_BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
        batch.append(row)
        size_bytes += row.size_bytes
    yield batch
