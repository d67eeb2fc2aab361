"""Where each Kafka partition is read from: the position that Redis holds beside the rows, because
Kafka's committed offset says nothing of a Redis that has lost its memory since. Knows how to begin;
does not know what a record holds."""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kafka import TopicPartition

from pipeline.current.store import RedisStore
from pipeline.redis_keys import CURRENT_TABLES
from pipeline.stream.kafka_offsets import Bounds
from pipeline.stream.kafka_source import KafkaSource

log = logging.getLogger(__name__)

# A partition from which Kafka has removed nothing, and which has no more records than this, is read
# from its first record: seconds, and no snapshot is needed.
MAX_READ_AGAIN = 20_000


class Position(NamedTuple):
    """`lease` tells whether the partition was another consumer's since."""

    offset: int
    lease: int


class Positions:
    """Every method may raise StoreUnavailable and KafkaError."""

    def __init__(self, source: KafkaSource, store: RedisStore) -> None:
        self._source = source
        self._store = store
        self._known: dict[TopicPartition, Position] = {}

    def of(self, partition: TopicPartition) -> Position | None:
        """Where the partition is; None if that is not known now."""
        known = self._known.get(partition)
        if known is not None and self._source.versions.is_current(partition, known.lease):
            return known
        return None

    def moved_to(self, partition: TopicPartition, offset: int) -> None:
        self._known[partition] = self._known[partition]._replace(offset=offset)

    def follows(self, partition: TopicPartition, offset: int) -> bool:
        """Whether nothing is missing between the partition's position and this offset. Offsets
        without a record, such as the marks of transactions, are nothing."""
        known = self.of(partition)
        if known is None or offset < known.offset:
            return False
        if offset == known.offset or self._source.bounds([partition])[partition].first <= known.offset:
            return True
        self.forget([partition])  # Kafka removed records before they were read: `find` sees to it
        return False

    def forget(self, partitions: Iterable[TopicPartition] | None = None) -> None:
        """What Redis holds of them is not certain any more (default: of all)."""
        for partition in list(self._known if partitions is None else partitions):
            self._known.pop(partition, None)

    def find(self) -> None:
        """Reads each partition of this consumer whose position is not known from where Redis is."""
        unknown = sorted(partition for partition in self._source.assigned() if self.of(partition) is None)
        if not unknown:
            return
        stored = self._store.positions(unknown)
        bounds = self._source.bounds(unknown)
        lost = [p for p, at in stored.items() if not bounds[p].first <= at.offset <= bounds[p].end]
        if lost:
            # Changes between the position and Kafka's first record are gone, deletes among them.
            log.warning("records_lost", extra={"partitions": ",".join(map(str, lost)), "remedy": "rebuilds Redis"})
            self._store.clear()
            stored = {}
        for partition, at in stored.items():
            self._known[partition] = Position(at.offset, self._source.restart(partition, at.offset, at.state))
        self._begin({partition: bounds[partition] for partition in unknown if partition not in stored})

    def _begin(self, new: Mapping[TopicPartition, Bounds]) -> None:
        """Redis has never heard of these partitions, or has forgotten them."""
        long = {p: at for p, at in new.items() if at.first > 0 or at.end > MAX_READ_AGAIN}
        states = self._source.states_at(long)
        for partition in new:
            table = self._source.table_of(partition)
            offset, state = (long[partition].end, states[partition]) if partition in long else (0, "")
            awaiting = table if partition in long and table in CURRENT_TABLES else ""
            if self._store.begin(partition, offset, awaiting, state):
                self._known[partition] = Position(offset, self._source.restart(partition, offset, state))
