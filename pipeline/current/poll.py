"""One poll as what Redis is to apply: per Kafka partition the newest state of each row, and the
position after it. Talks to neither Kafka nor Redis."""

import logging
from collections.abc import Callable

import orjson
from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from pipeline.changes import Change, Truncation
from pipeline.current import metrics
from pipeline.current.batch import Batch
from pipeline.current.rows import encoded, key_of
from pipeline.errors import UnwritableRecord
from pipeline.redis_keys import CURRENT_TABLES
from pipeline.stream.envelope import parse
from pipeline.stream.record_source import Mark, Stamps
from pipeline.symbols import is_symbol
from pipeline.tables import BOOKS, KLINES, TRADES
from pipeline.times import DAY_MS

log = logging.getLogger(__name__)

# How long a symbol counts as tracked after a row of these tables: as long as Cassandra keeps the
# row. A symbol with books also has candles, which are kept longest.
TRACKED_MS = {KLINES.name: 90 * DAY_MS, BOOKS.name: 90 * DAY_MS, TRADES.name: 7 * DAY_MS}
# Every table that is followed.
TABLES = frozenset({*CURRENT_TABLES, *TRACKED_MS})


def batch_of(
    partition: TopicPartition,
    table: str,
    position: int,
    records: list[ConsumerRecord],
    stamps: Stamps,
    emptied: Callable[[str, int], None],
) -> Batch:
    """The records of one partition, which begin at `position`. `emptied` is called with table and
    commit time of a TRUNCATE. A record that holds no row that can be kept is counted and left out:
    the consumer to Cassandra makes a dead letter of it."""
    batch = Batch(partition, table, position, Mark(0), len(records))
    for record in records:
        if table in TRACKED_MS:
            note_tracked(batch, record)
        if table in CURRENT_TABLES:
            try:
                note_row(batch, record, stamps, emptied)
            except UnwritableRecord as error:
                metrics.REJECTED.labels(table).inc()
                log.debug("record_rejected", extra={"topic": record.topic, "offset": record.offset, "error": error})
    batch.mark = Mark(records[-1].offset + 1, stamps.saved(), stamps.lease)
    return batch


def note_row(batch: Batch, record: ConsumerRecord, stamps: Stamps, emptied: Callable[[str, int], None]) -> None:
    change = parse(batch.table, record.value, record.key)
    if isinstance(change, Truncation):
        # Just before its commit: what follows in its transaction stays.
        batch.truncated_us = max(batch.truncated_us, change.commit_us - 1)
        batch.rows = {key: (version_us, b"") for key, (version_us, _) in batch.rows.items()}
        emptied(change.table, change.commit_us)
    elif isinstance(change, Change):
        change = stamps.stamp(record, change)
        key = key_of(change)
        known = batch.rows.get(key)
        if known is None or change.version_us >= known[0]:
            batch.rows[key] = change.version_us, encoded(change)
        if change.commit_us:
            batch.commits.append(change.commit_us)


def note_tracked(batch: Batch, record: ConsumerRecord) -> None:
    """By the record's key alone: a trade need not be parsed to know that its symbol has trades."""
    symbol = symbol_in(record.key)
    if symbol is not None and record.value is not None:
        until_ms = record.timestamp + TRACKED_MS[batch.table]
        batch.tracked[symbol] = max(until_ms, batch.tracked.get(symbol, 0))


def symbol_in(key: bytes | None) -> str | None:
    try:
        symbol = orjson.loads(key or b"")["symbol"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return symbol if is_symbol(symbol) else None
