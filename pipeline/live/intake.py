"""From Kafka: takes the records of the pushed tables as they come, and puts what they say of the
tracked symbols into the frames. What cannot be pushed is counted and left out; nothing waits for
Grafana. Knows nothing of Grafana."""

import logging
import time
from collections.abc import Iterable
from functools import lru_cache

import orjson
from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.changes import Change
from pipeline.errors import UnwritableRecord
from pipeline.live import metrics
from pipeline.live.channels import PUSHED, UNUSABLE_ROW, Point, can_be_pushed, points
from pipeline.live.frames import Frames
from pipeline.outage import Outage
from pipeline.stopping import Stop
from pipeline.stream.envelope import parse
from pipeline.stream.kafka_source import KafkaSource
from pipeline.stream.record_source import Mark, Records, Stamps

log = logging.getLogger(__name__)

POLL_TIMEOUT_SECONDS = 0.5
# After records were taken. Each poll costs over a millisecond, however little it brings; without a
# pause, 100 changes per second would be nearly as many polls. The pause adds 25 ms to the delay on
# average.
PAUSE_SECONDS = 0.05
# Offsets are committed for rebalances only: a start reads from the end.
COMMIT_EVERY_SECONDS = 5.0
UNUSABLE = "unusable"


class Intake:
    """`progress_at` (monotonic seconds): when it last polled, or waited for Kafka between two
    attempts. `followed`: the tables whose records it reads; `partitions`: how many Kafka partitions
    are its own, from their end on. `kafka_unavailable`: whether the last poll failed."""

    def __init__(self, source: KafkaSource, frames: Frames, symbols: Iterable[str]) -> None:
        self._source = source
        self._frames = frames
        self._tracked = frozenset(filter(can_be_pushed, symbols))
        self._outage = Outage("kafka", log)
        self._backoff = Backoff()
        # Per Kafka partition: the offset to read next, and the state of its versions there.
        self._taken: dict[TopicPartition, tuple[int, Stamps]] = {}
        self._committed_at = time.monotonic()
        self._symbol_of = lru_cache(maxsize=10_000)(symbol_in_key)
        self.progress_at = time.monotonic()
        self.followed: frozenset[str] = frozenset()
        self.partitions = 0
        self.kafka_unavailable = False
        for symbol in sorted(set(symbols) - self._tracked):
            log.warning("symbol_not_pushed", extra={"symbol": symbol, "reason": "its channel's name is too long"})

    def run(self, stop: Stop) -> None:
        """Until `stop`."""
        while not stop.requested:
            self.progress_at = time.monotonic()
            try:
                self._take(stop)
                self._commit()
            except KafkaError as error:
                self.kafka_unavailable = True
                delay = self._backoff.next_seconds()
                self._outage.failed(error, delay)
                stop.wait(delay)
            else:
                self.kafka_unavailable = False
                self._outage.over()
                self._backoff.reset()

    def _take(self, stop: Stop) -> None:
        self.followed = self._source.follow(PUSHED)
        if not self.followed:
            stop.wait(POLL_TIMEOUT_SECONDS)
        records = self._source.poll(POLL_TIMEOUT_SECONDS)
        self.partitions = len(self._source.assigned())
        if records:
            self.push(records)
            stop.wait(PAUSE_SECONDS)

    def push(self, records: Records) -> None:
        """Put what the records say of tracked symbols into the frames, and note their offsets."""
        found: list[Point] = []
        for partition, taken in records.items():
            stamps = self._source.versions.of(partition)
            table = self._source.table_of(taken[0])
            metrics.RECORDS.labels(table).inc(len(taken))
            for record in taken:
                if self._symbol_of(record.key) in self._tracked:
                    found += self._points(table, record, stamps)
            self._taken[partition] = taken[-1].offset + 1, stamps
        if found:
            self._frames.put(found)

    def _points(self, table: str, record: ConsumerRecord, stamps: Stamps) -> list[Point]:
        try:
            change = parse(table, record.value, record.key)
            return points(stamps.stamp(record, change)) if isinstance(change, Change) else []
        except (UnwritableRecord, *UNUSABLE_ROW) as error:
            metrics.DROPPED.labels(UNUSABLE).inc()
            log.debug("record_unusable", extra={"table": table, "offset": record.offset, "error": str(error)})
            return []

    def _commit(self) -> None:
        now = time.monotonic()
        if self._taken and now - self._committed_at >= COMMIT_EVERY_SECONDS:
            self._committed_at = now
            marks = {at: Mark(offset, stamps.saved(), stamps.lease) for at, (offset, stamps) in self._taken.items()}
            self._source.commit(marks)
            self._taken.clear()


def symbol_in_key(key: bytes | None) -> str | None:
    """The symbol in a record's key, as Debezium writes it; None for any other key."""
    try:
        symbol = orjson.loads(key or b"")["symbol"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return symbol if isinstance(symbol, str) else None
