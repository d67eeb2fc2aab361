"""How far Redis is: asks Kafka for the end of every partition, and once everything before those
ends is applied, says so in Redis. Readers compare with the time: a consumer that hangs, lags or is
cut off from Kafka says nothing, and they take the other store. Knows nothing of rows."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from kafka import TopicPartition

from pipeline.current.store import RedisStore
from pipeline.stream.kafka_source import KafkaSource

# Readers do without Redis when the watermark is older than a few of these.
EVERY_SECONDS = 0.5


class Goal(NamedTuple):
    """The ends of the partitions, as Kafka named them after `asked_at` (monotonic seconds)."""

    asked_at: float
    ends: Mapping[TopicPartition, int]


class Watermark:
    """`complete`: whether Redis holds every current row, as of the last refresh. `reached_at`: when
    the ends were asked for that were reached last, in monotonic seconds."""

    def __init__(self, source: KafkaSource, store: RedisStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._goal: Goal | None = None
        self.reached_at = clock()
        self.complete = False

    def step(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Call it when everything that was taken is applied. `offsets`: the offset to read next of
        each partition of this consumer. False when Redis has lost a position. Raises KafkaError and
        StoreUnavailable."""
        now = self._clock()
        if self._goal is None or self._goal.ends.keys() != offsets.keys():
            if self._goal is None and now < self.reached_at + EVERY_SECONDS:
                return True
            self._goal = Goal(now, self._source.ends_of(offsets))
        if any(offsets[partition] < end for partition, end in self._goal.ends.items()):
            return True
        asked_at, self._goal = self._goal.asked_at, None
        self.complete, missing = self._store.refresh(offsets, round((self._clock() - asked_at) * 1000))
        self.reached_at = asked_at
        return not missing
