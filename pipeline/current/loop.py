"""The loop of the consumer to Redis:

1. find positions   2. poll   3. apply in Redis   4. watermark, rebuild   5. commit

Redis takes rows and positions in one step (3), so nothing is lost or applied past a gap wherever
the loop is interrupted. The commit to Kafka (5) only shows the group's lag, so it can wait."""

import logging
import time
from collections.abc import Callable

from kafka import TopicPartition
from kafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.current import metrics
from pipeline.current.poll import TABLES, Batch, batch_of
from pipeline.current.positions import Positions
from pipeline.current.rebuild import Rebuild
from pipeline.current.store import MOVED, RedisStore
from pipeline.current.watermark import Watermark
from pipeline.errors import StoreUnavailable
from pipeline.outage import Outage
from pipeline.redis_client import OutOfMemory
from pipeline.stopping import Stop
from pipeline.stream.kafka_source import KafkaSource
from pipeline.stream.record_source import Mark, Records
from pipeline.times import DAY_MS, ms_to_us, now_ms, us_to_seconds

log = logging.getLogger(__name__)

POLL_TIMEOUT_SECONDS = 0.3
# A poll costs over 2 ms of CPU time, however few records it brings. While changes trickle, polls
# that follow each other more closely would mostly bring one record. A change after a silence does
# not wait, and many changes are worth a poll each time Kafka answers.
TRICKLE_POLL_INTERVAL_SECONDS = 0.1
MANY_PER_SECOND = 200
COMMIT_SECONDS = 1.0
FORGET_SECONDS = 60.0
# Longer than Kafka keeps a record (7 days), so that a replay cannot bring a deleted row back.
DELETES_KEPT_MS = 8 * DAY_MS


class Loop:
    """`progress_at` (monotonic seconds) is when it last polled, or waited for a dependency between
    two attempts. `redis_unavailable`: since the last success."""

    def __init__(
        self,
        source: KafkaSource,
        store: RedisStore,
        rebuild: Rebuild,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._store = store
        self._rebuild = rebuild
        self._clock = clock
        self._positions = Positions(source, store)
        self.watermark = Watermark(source, store, clock)
        self._marks: dict[TopicPartition, Mark] = {}
        self._polled = 0
        # Evaluated at each scrape, so that it also rises while the loop hangs.
        metrics.BEHIND_SECONDS.set_function(lambda: clock() - self.watermark.reached_at)
        self._committed_at = self._forgot_at = self._collected_at = self.progress_at = clock()
        self._redis_outage, self._redis_backoff = Outage("redis", log), Backoff(max_seconds=5.0)
        self._kafka_outage, self._kafka_backoff = Outage("kafka", log), Backoff()
        self.redis_unavailable = False
        self.followed: frozenset[str] = frozenset()

    def run(self, stop: Stop) -> None:
        """Until `stop`."""
        while not stop.requested:
            self.progress_at = began = self._clock()
            try:
                self._step()
            except KafkaError as error:
                self._wait_for_kafka(error, stop)
            except StoreUnavailable as error:
                self._wait_for_redis(error, stop)
            else:
                self._over()
                self._collect(began, stop)
        self._source.commit(self._marks)

    def _collect(self, began: float, stop: Stop) -> None:
        """Let changes collect before the next poll."""
        now = self._clock()
        rate = self._polled / max(now - self._collected_at, 1e-3)
        if 0 < rate < MANY_PER_SECOND:
            stop.wait(max(0.0, began + TRICKLE_POLL_INTERVAL_SECONDS - now))
        self._collected_at = now

    def _step(self) -> None:
        self.followed = self._source.follow(TABLES)
        self._positions.find()  # 1
        records = self._source.poll(POLL_TIMEOUT_SECONDS)  # 2
        self._polled = sum(map(len, records.values()))
        batches = self._batches(records)
        if batches or (batches := self._passed_gaps()):
            self._apply(batches)  # 3
        self._look_after()  # 4
        if self._clock() - self._committed_at >= COMMIT_SECONDS:  # 5
            self._commit()

    def _batches(self, records: Records) -> list[Batch]:
        """Records of a partition whose position is not known yet are left; they are read again."""
        batches = []
        for partition, taken in records.items():
            position = self._positions.of(partition)
            if position is not None and self._positions.follows(partition, taken[0].offset):
                stamps = self._source.versions.of(partition)
                table = self._source.table_of(partition)
                batches.append(batch_of(partition, table, position.offset, taken, stamps, self._source.emptied))
        return batches

    def _passed_gaps(self) -> list[Batch]:
        """Offsets that hold no record for us (the marks of transactions) count as read."""
        batches = []
        for partition in self._source.assigned():
            position, reached = self._positions.of(partition), self._source.next_offset(partition)
            if position is None or reached is None or reached <= position.offset:
                continue
            if self._positions.follows(partition, reached):
                stamps = self._source.versions.of(partition)
                mark = Mark(reached, stamps.saved(), stamps.lease)
                batches.append(Batch(partition, self._source.table_of(partition), position.offset, mark, 0))
        return batches

    def _apply(self, batches: list[Batch]) -> None:
        moved = 0
        for batch, written in zip(batches, self._store.apply(batches)):
            if written == MOVED:
                moved += 1
                continue
            self._positions.moved_to(batch.partition, batch.mark.next_offset)
            self._marks[batch.partition] = batch.mark
            count(batch, written)
        if moved:
            self._find_again(moved)

    def _find_again(self, partitions: int) -> None:
        """Redis was emptied, or another consumer is further: all positions are asked for once
        more."""
        log.warning("positions_lost", extra={"partitions": partitions})
        self._positions.forget()

    def _look_after(self) -> None:
        known = {partition: self._positions.of(partition) for partition in self._source.assigned()}
        offsets = {partition: position.offset for partition, position in known.items() if position is not None}
        if not self.watermark.step(offsets):
            self._find_again(len(offsets))
        metrics.COMPLETE.set(self.watermark.complete)
        if not self.watermark.complete:
            self._rebuild.step()
        elif self._clock() - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = self._clock()
            self._store.forget(ms_to_us(now_ms() - DELETES_KEPT_MS))

    def _commit(self) -> None:
        self._committed_at = self._clock()
        if self._marks:
            self._source.commit(self._marks)
            self._marks = {}
        for partition, lag in self._source.lag_records().items():
            metrics.LAG_RECORDS.labels(partition.topic, partition.partition).set(lag)

    def _over(self) -> None:
        self.redis_unavailable = False
        for outage, backoff in ((self._redis_outage, self._redis_backoff), (self._kafka_outage, self._kafka_backoff)):
            outage.over()
            backoff.reset()

    def _wait_for_kafka(self, error: KafkaError, stop: Stop) -> None:
        """What was polled is read again: the positions are asked for once more."""
        self._positions.forget()
        delay = self._kafka_backoff.next_seconds()
        self._kafka_outage.failed(error, delay)
        stop.wait(delay)

    def _wait_for_redis(self, error: StoreUnavailable, stop: Stop) -> None:
        """Stays in the group. Whether the last step reached Redis, its positions will say."""
        metrics.RETRIES.inc()
        if isinstance(error, OutOfMemory):
            metrics.OUT_OF_MEMORY.inc()
        self.redis_unavailable, self.watermark.complete = True, False
        metrics.COMPLETE.set(0)
        self._positions.forget()
        delay = self._redis_backoff.next_seconds()
        self._redis_outage.failed(error, delay)
        if not stop.requested:
            try:
                self._source.hold(delay)
                self._source.resume()
            except KafkaError as problem:
                self._kafka_outage.failed(problem, delay)


def count(batch: Batch, written: int) -> None:
    metrics.RECORDS.labels(batch.table).inc(batch.records)
    metrics.ROWS.labels(batch.table).inc(written)
    metrics.NOT_NEWER.labels(batch.table).inc(len(batch.rows) - written)
    now_us = ms_to_us(now_ms())
    for commit_us in batch.commits:
        metrics.END_TO_END_SECONDS.observe(max(0.0, us_to_seconds(now_us - commit_us)))
