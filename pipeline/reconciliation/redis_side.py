"""Redis as consumer_to_redis.py writes it, compared with PostgreSQL. Knows how far that consumer is
and how it writes; decides no difference."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from kafka import TopicPartition
from psycopg2.extensions import cursor as Cursor
from redis import Redis

from pipeline.current.store import MOVED, RedisStore, name_of
from pipeline.errors import UnwritableRecord
from pipeline.mirroring.catalogue import read_table
from pipeline.reconciliation.connections import Sides, captured_tables
from pipeline.reconciliation.cut import Cut
from pipeline.reconciliation.filled_redis import FilledRedis, RedisIncomplete
from pipeline.reconciliation.redis_rows import RedisExpectation, RedisTable, streamed
from pipeline.reconciliation.source_rows import Batch, SourceRows
from pipeline.reconciliation.states import Identity
from pipeline.reconciliation.targets import Pair, Target
from pipeline.redis_keys import CURRENT_TABLES, Keys
from pipeline.settings import Settings


class Positions:
    """The consumer: rows and positions change in Redis in one step."""

    name = "the consumer to Redis"

    def __init__(self, redis: FilledRedis, tables: set[str]) -> None:
        self._redis = redis
        self.tables = tables

    def reached(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        (found,) = self._redis.ask(("HMGET", self._redis.keys.positions, *map(name_of, partitions)))
        return {partition: int(offset) for partition, offset in zip(partitions, found) if offset is not None}


class RedisSide:
    """A Side. Everything is asked of one Redis that keeps its memory, else RedisIncomplete."""

    def __init__(self, settings: Settings, sides: Sides, redis: Redis) -> None:
        keys = Keys(settings.TOPIC_PREFIX)
        self._sides = sides
        self._redis = FilledRedis(redis, keys)
        self._store = RedisStore(redis, keys)
        self._tables = captured_tables(sides.connection) & set(CURRENT_TABLES)
        self._consumer = Positions(self._redis, self._tables)
        self.notes: list[str] = []

    def targets(self, names: frozenset[str] | None) -> list[Target]:
        wanted = [name for name in CURRENT_TABLES if name in self._tables and (names is None or name in names)]
        if wanted:
            self._redis.ask()  # before PostgreSQL is read in vain
        return [self._target(name) for name in wanted]

    def _target(self, name: str) -> Target:
        with self._sides.snapshot() as cursor:
            source = SourceRows(read_table(cursor, name))
        stored = RedisTable(self._redis, name)
        pair = Pair(f"{name} (Redis)", name, name)
        # As text: any field may be in the hash.
        return Target(pair, source, stored, RedisExpectation(name, stored), (f"{stored.key[0]}/text",))

    def snapshot(self) -> AbstractContextManager[Cursor]:
        return self._sides.snapshot()

    def cut(self, position: int) -> Cut:
        return Cut(self._sides.stream, self._consumer, position)

    @contextmanager
    def writer(self) -> Iterator["RedisWriter"]:
        yield RedisWriter(self._store, self._redis)


class RedisWriter:
    def __init__(self, store: RedisStore, compared: FilledRedis) -> None:
        self._store = store
        self._compared = compared

    def write(self, target: Target, rows: Batch, removed: Sequence[Identity], version_us: int) -> None:
        """Raises RedisIncomplete when Redis is not the one that was compared."""
        found = {field: b"" for (field,) in removed}
        for row, _ in rows:
            try:
                field, text = streamed(target.pair.source, row)
            except UnwritableRecord:
                continue
            found[field] = text
        if self._store.repair(self._compared.complete, target.pair.source, version_us, found) == MOVED:
            raise RedisIncomplete("Redis has lost its memory meanwhile")
