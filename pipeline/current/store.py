"""Redis as the consumer uses it: every write is a script, because what it does depends on what
Redis holds at that moment. Knows keys and scripts; knows nothing of Kafka's client."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from kafka import TopicPartition
from redis import Redis

from pipeline.current.poll import Batch
from pipeline.redis_client import Script, asked
from pipeline.redis_keys import CURRENT_TABLES, Keys

# A consumer that sees to a rebuild says so at least this often, else another one takes over.
REBUILDER_SECONDS = 30
MOVED = -1
LUA = Path(__file__).with_name("lua")


class Claim(Enum):
    """Who sees to the rebuild: this consumer from now on, still this one, or another one."""

    NEW = "new"
    KEPT = "kept"
    ANOTHER = "another"


class Stored(NamedTuple):
    """Where a Kafka partition is to be read next, and the state of its row versions there."""

    offset: int
    state: str


def name_of(partition: TopicPartition) -> str:
    """`crypto.public.klines/2`."""
    return f"{partition.topic}/{partition.partition}"


def arguments_of(batch: Batch) -> list[Any]:
    """Of apply.lua, for one partition."""
    found: list[Any] = [name_of(batch.partition), batch.position, batch.mark.next_offset, batch.mark.state]
    found += (batch.table, len(batch.rows), len(batch.tracked))
    for field, (version_us, row) in batch.rows.items():
        found += (field, version_us, row)
    for symbol, until_ms in batch.tracked.items():
        found += (until_ms, symbol)
    return found


class RedisStore:
    """Every method raises StoreUnavailable, or its kind OutOfMemory."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._apply = Script(LUA / "write.lua", LUA / "apply.lua")
        self._repair = Script(LUA / "write.lua", LUA / "repair.lua")
        self._begin = Script(LUA / "begin.lua")
        self._refresh = Script(LUA / "refresh.lua")
        self._truncate = Script(LUA / "truncate.lua")
        self._forget = Script(LUA / "forget.lua")

    def apply(self, batches: Sequence[Batch]) -> list[int]:
        """Applies each batch whose partition is where it is expected. Returns the number of rows
        written of each, or MOVED. One round trip."""
        keys = self._keys
        for batch in batches:
            if batch.truncated_us:
                self._apply_truncate(batch)
        named: list[str] = [keys.positions, keys.states, keys.floors, keys.deleted, keys.tracked]
        arguments: list[Any] = []
        for batch in batches:
            named += (keys.rows(batch.table), keys.versions(batch.table))
            arguments += arguments_of(batch)
        return list(asked(lambda: self._apply.run(self._redis, named, arguments)))

    def _apply_truncate(self, batch: Batch) -> None:
        keys = self._keys
        named = (keys.floors, keys.deleted, keys.rows(batch.table), keys.versions(batch.table))
        asked(lambda: self._truncate.run(self._redis, named, (batch.table, batch.truncated_us)))

    def positions(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Stored]:
        """Those partitions that have a position."""
        names = [name_of(partition) for partition in partitions]
        if not names:
            return {}
        pipeline = self._redis.pipeline()
        pipeline.hmget(self._keys.positions, names)
        pipeline.hmget(self._keys.states, names)
        offsets, states = asked(pipeline.execute)
        return {
            partition: Stored(int(offset), (state or b"").decode())
            for partition, offset, state in zip(partitions, offsets, states)
            if offset is not None
        }

    def begin(self, partition: TopicPartition, offset: int, awaiting_table: str = "", state: str = "") -> bool:
        """Gives a partition its first position. `awaiting_table`: a snapshot of it must follow.
        False when another consumer has done so."""
        named = (self._keys.positions, self._keys.states, self._keys.complete, self._keys.awaiting)
        arguments = (name_of(partition), "", offset, state, awaiting_table)
        return bool(asked(lambda: self._begin.run(self._redis, named, arguments)))

    def refresh(self, partitions: Iterable[TopicPartition], ms_ago: int) -> tuple[bool, int]:
        """Everything that was in Kafka `ms_ago` is applied, as far as these partitions go. Returns
        whether Redis is complete, and how many of them have no position any more."""
        named = (self._keys.positions, self._keys.applied, self._keys.complete)
        arguments = (ms_ago, *map(name_of, partitions))
        complete, missing = asked(lambda: self._refresh.run(self._redis, named, arguments))
        return bool(complete), missing

    def repair(self, complete: bytes, table: str, version_us: int, rows: Mapping[bytes, bytes]) -> int:
        """Gives rows the state that PostgreSQL had at that version (JSON; empty: it had none),
        unless Redis has a later one. `complete`: the value that this key had when the rows were
        compared. Returns the number of rows written, or MOVED."""
        keys = self._keys
        named = (keys.complete, keys.floors, keys.deleted, keys.rows(table), keys.versions(table))
        arguments: list[Any] = [complete, table, version_us]
        for field, row in rows.items():
            arguments += (field, row)
        return int(asked(lambda: self._repair.run(self._redis, named, arguments)))

    def forget(self, version_us: int) -> int:
        """Forgets rows that were deleted before that version. Returns how many, at most 1,000."""
        named = (self._keys.deleted, self._keys.tracked, *map(self._keys.versions, CURRENT_TABLES))
        return int(asked(lambda: self._forget.run(self._redis, named, (version_us, *CURRENT_TABLES))))

    def claim_rebuild(self, me: str) -> Claim:
        """Whether this consumer sees to the rebuild for the next REBUILDER_SECONDS."""
        key = self._keys.rebuilder
        if asked(lambda: self._redis.set(key, me, nx=True, ex=REBUILDER_SECONDS)):
            return Claim.NEW
        if asked(lambda: self._redis.get(key)) != me.encode():
            return Claim.ANOTHER
        return Claim.KEPT if asked(lambda: self._redis.expire(key, REBUILDER_SECONDS)) else Claim.ANOTHER

    def awaiting_snapshot(self) -> list[str]:
        """Tables whose older rows only a snapshot brings."""
        found: set[Any] = asked(lambda: self._redis.smembers(self._keys.awaiting))
        return sorted(table.decode() for table in found)

    def finish_rebuild(self, snapshot_of: Sequence[str]) -> None:
        """Every current row is here. `snapshot_of`: the tables whose snapshot was applied. The
        value says which rebuild it was, so that others notice one that they have not seen."""
        pipeline = self._redis.pipeline()
        if snapshot_of:
            pipeline.srem(self._keys.awaiting, *snapshot_of)
        pipeline.set(self._keys.complete, uuid4().hex, nx=True)
        pipeline.delete(self._keys.rebuilder)
        asked(pipeline.execute)

    def is_complete(self) -> bool:
        return bool(asked(lambda: self._redis.exists(self._keys.complete)))

    def row_counts(self) -> dict[str, int]:
        """How many rows of each table are here."""
        pipeline = self._redis.pipeline(transaction=False)
        for table in CURRENT_TABLES:
            pipeline.hlen(self._keys.rows(table))
        return dict(zip(CURRENT_TABLES, asked(pipeline.execute)))

    def clear(self) -> None:
        """Removes everything that this project has in Redis; the consumers then rebuild it."""
        asked(lambda: self._redis.delete(*self._keys))

    def close(self) -> None:
        self._redis.close()
