"""Fills a Redis that is empty, or has lost its memory. Every partition has got a position by then
(positions.py), from which on changes are applied; what is older comes as one snapshot of the
current rows, which is as large as the market and not as long as the topics. Then, once everything
that was in Kafka at that moment is applied, Redis is complete. Knows the order of these steps; who
asks Debezium for the snapshot is passed in."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import uuid4

from kafka import TopicPartition

from pipeline.current import metrics
from pipeline.current.poll import TABLES
from pipeline.current.store import Claim, RedisStore
from pipeline.errors import PostgresUnavailable
from pipeline.outage import Outage
from pipeline.stream.kafka_source import KafkaSource

log = logging.getLogger(__name__)

STEP_SECONDS = 1.0
# A snapshot that a restart of the connector interrupted is asked for again.
MAX_SNAPSHOT_SECONDS = 120.0


class Snapshots(Protocol):
    """Both raise PostgresUnavailable."""

    def request(self, tables: Sequence[str]) -> str:
        """Asks for the current rows of the tables. Returns a position behind the request."""

    def is_sent(self, position: str) -> bool:
        """Whether everything up to this position is in Kafka."""


class Rebuild:
    """One consumer of the group does it; when that one ends, another begins again."""

    def __init__(
        self,
        source: KafkaSource,
        store: RedisStore,
        snapshots: Snapshots,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._store = store
        self._snapshots = snapshots
        self._clock = clock
        self._me = uuid4().hex
        self._outage = Outage("postgres", log)
        self._next_step = 0.0
        self._reset()

    def _reset(self) -> None:
        self._position: str | None = None
        self._asked_at = 0.0
        self._awaiting: Sequence[str] = ()
        self._ends: Mapping[TopicPartition, int] = {}

    def step(self) -> None:
        """Call it often while Redis is not complete. Raises StoreUnavailable and KafkaError."""
        now = self._clock()
        if now < self._next_step:
            return
        self._next_step = now + STEP_SECONDS
        claim = self._store.claim_rebuild(self._me)
        if claim is not Claim.KEPT:  # new: Redis may have been emptied once more since the last step
            self._reset()
        if claim is Claim.ANOTHER:
            return
        partitions = sorted(self._source.partitions_of(TABLES))
        positions = self._store.positions(partitions)
        # A table that has never had a row has no topic, and nothing that could be missing.
        if not partitions or len(positions) < len(partitions):
            self._reset()
            return
        if self._ends:
            if all(positions[partition].offset >= end for partition, end in self._ends.items()):
                self._finish()
        elif self._snapshot_is_sent(now):
            self._ends = self._source.ends_of(partitions)

    def _snapshot_is_sent(self, now: float) -> bool:
        """Also when none is needed."""
        if self._position is not None and now - self._asked_at < MAX_SNAPSHOT_SECONDS:
            awaiting = self._awaiting
        else:
            awaiting = self._store.awaiting_snapshot()
            self._position = None
        if not awaiting:
            return True
        try:
            if self._position is None:
                self._position, self._asked_at, self._awaiting = self._snapshots.request(awaiting), now, awaiting
                log.info("snapshot_requested", extra={"tables": ",".join(awaiting)})
            sent = self._snapshots.is_sent(self._position)
        except PostgresUnavailable as error:
            self._outage.failed(error, STEP_SECONDS)
            return False
        self._outage.over()
        return sent

    def _finish(self) -> None:
        if set(self._store.awaiting_snapshot()) <= set(self._awaiting):
            self._store.finish_rebuild(self._awaiting)
            metrics.REBUILDS.inc()
            log.info("redis_complete", extra={"snapshot_of": ",".join(self._awaiting)})
        self._reset()
