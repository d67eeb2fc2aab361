"""Which rows of a target are compared, and in which pieces both sides are read. Knows what has been
removed on purpose: days of trades that were dropped, and rows that Cassandra has dropped after
their time to live."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection

from pipeline.consumer.cql_numbers import bigint
from pipeline.mirroring.source_table import quoted, sql_name
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.source_rows import Batch
from pipeline.reconciliation.states import blank_test
from pipeline.reconciliation.stored_rows import Read
from pipeline.reconciliation.targets import Target, Way
from pipeline.reconciliation.window import Window, day_start_ms
from pipeline.tables import TRADES
from pipeline.times import HOUR_MS, hour_of, ms_to_datetime, now_ms, seconds_to_ms

# A row's time to live begins when the consumer writes it, never before its version. The last hour
# of it is not judged: what expires while it is compared is no difference.
EXPIRY_MARGIN_SECONDS = 3600
# A row of klines has about 200 bytes in PostgreSQL, one of recent_trades 100. A bucket has 16 bytes
# here.
BYTES_PER_BUCKET = 500
MIN_BUCKETS, MAX_BUCKETS = 2**8, 2**18
FIRST_DAY = """
    SELECT min(right(relid::text, 8)) FROM pg_partition_tree('recent_trades')
    WHERE isleaf AND relid::text ~ '^recent_trades_\\d{8}$'
"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """`where`: a condition on PostgreSQL's rows, with its `values`. `reads`: the store's rows."""

    where: str
    values: tuple[object, ...]
    reads: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """The chunks of a target. `is_judged`: whether a row of the store is compared at all.
    `buckets`: for the digests of a chunk, so that each holds a handful of rows."""

    chunks: list[Chunk]
    is_judged: Callable[[RawRow], bool]
    buckets: int

    def source(self, target: Target, connection: Connection, chunk: Chunk) -> Iterator[Batch]:
        return target.source.stream(connection, chunk.where, chunk.values, target.pair.distinct)

    def stored(self, target: Target, chunk: Chunk) -> Iterator[list[RawRow]]:
        """A page at a time."""
        for read in chunk.reads:
            for page in target.stored.pages(read):
                yield list(filter(self.is_judged, page))


def first_trade_day_ms(connection: Connection) -> int | None:
    """The start of the oldest day that PostgreSQL still has; None without any."""
    with connection, connection.cursor() as cursor:
        cursor.execute(FIRST_DAY)
        (day,) = cursor.fetchone()
    return None if day is None else day_start_ms(day)


def scope_of(target: Target, connection: Connection, window: Window) -> Scope:
    """Raises StoreUnavailable and psycopg2 errors."""
    oldest_ms = oldest_version_ms(target)
    if target.pair.time:
        window = window.since(oldest_ms if target.pair.time == target.pair.version else 0)
        if target.pair.source == TRADES.name:
            first_ms = first_trade_day_ms(connection)
            window = window.since(window.to_ms if first_ms is None else first_ms)
    where, values = version_condition(target, oldest_ms)
    if not target.pair.time:
        chunks = [Chunk(where, values, target.stored.whole())]
    else:
        chunks = [] if window.is_empty else timed_chunks(target, window, where, values)
    return Scope(chunks, judged(target, oldest_ms), buckets_of(target, connection, len(chunks)))


def buckets_of(target: Target, connection: Connection, chunks: int) -> int:
    """By the size of PostgreSQL's table, partitions included."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_relation_size(relid))::bigint FROM pg_partition_tree(%s::regclass)",
            (sql_name(target.pair.source),),
        )
        (size_bytes,) = cursor.fetchone()
    wanted = (size_bytes or 0) // (BYTES_PER_BUCKET * max(1, chunks))
    return min(MAX_BUCKETS, max(MIN_BUCKETS, 1 << wanted.bit_length()))


def oldest_version_ms(target: Target) -> int:
    """Rows with a version before it may have expired in Cassandra; 0 if they never do."""
    if not target.ttl_seconds or not target.pair.version:
        return 0
    return now_ms() - seconds_to_ms(target.ttl_seconds - EXPIRY_MARGIN_SECONDS)


def version_condition(target: Target, oldest_ms: int) -> tuple[str, tuple[object, ...]]:
    if not oldest_ms:
        return "true", ()
    return f"{quoted(target.pair.version)} >= %s", (ms_to_datetime(oldest_ms),)


def timed_chunks(target: Target, window: Window, where: str, values: tuple[object, ...]) -> list[Chunk]:
    """A chunk per hour for a table that is partitioned by hours in Cassandra, else one chunk."""
    time = quoted(target.pair.time)

    def chunk(part: Window, partitions: Sequence[RawRow]) -> Chunk:
        bounds = (ms_to_datetime(part.from_ms), ms_to_datetime(part.to_ms))
        condition = f"{time} >= %s AND {time} < %s AND {where}"
        return Chunk(condition, (*bounds, *values), slices(target, part, partitions))

    if target.pair.way is not Way.EQUAL:  # rows are looked up one by one
        return [chunk(window, ())]
    partitions = target.cassandra.partitions()
    if "hour" not in target.cassandra.partition:
        return [chunk(window, partitions)]
    at = target.cassandra.partition.index("hour")
    by_hour: dict[bytes | None, list[RawRow]] = {}
    for each in partitions:
        by_hour.setdefault(each[at], []).append(each)
    return [
        chunk(Window(max(hour, window.from_ms), min(hour + HOUR_MS, window.to_ms)), by_hour.get(bigint(hour), []))
        for hour in range(hour_of(window.from_ms), window.to_ms, HOUR_MS)
    ]


def slices(target: Target, part: Window, partitions: Sequence[RawRow]) -> list[Read]:
    """The part of each of Cassandra's partitions."""
    if not partitions:
        return []
    stored = target.cassandra
    time = quoted(target.pair.time)
    keys = " AND ".join(f"{quoted(name)} = ?" for name in stored.partition)
    prepared = stored.prepare(f"{keys} AND {time} >= ? AND {time} < ?")
    bounds = (bigint(part.from_ms), bigint(part.to_ms))
    return [Read(prepared, (*partition, *bounds)) for partition in partitions]


def judged(target: Target, oldest_ms: int) -> Callable[[RawRow], bool]:
    """Not those that nothing of this source is in, nor those that may expire at any moment."""
    is_blank = blank_test(target)
    columns = target.stored.columns
    if not oldest_ms or target.pair.version not in columns:
        return lambda row: not is_blank(row)
    at, oldest = columns.index(target.pair.version), bigint(oldest_ms)
    # Of times after 1970 the later one has the larger bytes.
    return lambda row: not is_blank(row) and (row[at] or oldest) >= oldest
