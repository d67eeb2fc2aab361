"""Which version (Cassandra's write timestamp, in µs) each change gets, so that the later change of
a row in its Kafka partition always has the larger one: across polls, transactions, restarts and
consumers. Why this rule: docs/decisions/0002-which-version-orders-two-writes.md. Knows Kafka's
partitions; knows nothing of Cassandra."""

from array import array
from collections.abc import Callable, Iterable
from itertools import count
from zlib import crc32

import orjson
from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from pipeline.changes import Change

# Rows share a version counter by the hash of their Kafka key. More counters keep versions closer to
# the commit time in a transaction of many rows: 50,000 rows raise each counter by about 12 µs.
# 32 KiB per Kafka partition.
COUNTERS = 4096
# How many transactions of a Kafka partition are known one by one; older ones are known as "older
# than". Transactions that committed at the same time may come in another order than their commit
# times, but not that far apart. They are stored with every commit: 8 take about 300 bytes.
RECENT_TRANSACTIONS = 8
# A commit time later than the record's own time in Kafka by more than this is not believed: else a
# single record with a time in the year 9999 would decide the version of every row after it.
MAX_AHEAD_US = 24 * 3600 * 1_000_000
# Snapshot rows carry the time when the snapshot starts, a little later than the point from which
# changes are streamed, by the clock of Connect. They count as this much older, so that they never
# hide a change that was streamed through another Kafka partition.
SNAPSHOT_MARGIN_US = 10 * 1_000_000
# Below every version.
NEVER_US = 0

FORMAT = 1


def believed(time_us: int, record: ConsumerRecord) -> int:
    """A commit time, unless it is far later than the record's own time in Kafka."""
    return min(time_us, record.timestamp * 1000 + MAX_AHEAD_US) if record.timestamp > 0 else time_us


# A transaction: commit time, transaction id.
Transaction = tuple[int, int | None]


class PartitionVersions:
    """The versions of one Kafka partition. `lease` identifies this object: a partition that went to
    another consumer and came back gets a new one."""

    def __init__(self, floor_us: int = NEVER_US, lease: int = 0) -> None:
        self.lease = lease
        # Snapshot rows that were read after the table was emptied are not older than that.
        self.emptied_us = NEVER_US
        # Upper bound of the versions given so far to the rows of a counter.
        self._counters = array("q", [floor_us]) * COUNTERS
        self._largest_us = floor_us
        self._last_delete_us = floor_us
        # The last position in PostgreSQL's log of each recent transaction, the oldest first.
        self._recent: dict[Transaction, int] = {}
        # All other transactions that were seen: none has a larger commit time, none a larger
        # position.
        self._older_us = NEVER_US
        self._older_lsn = -1
        # The streamed change before this one, and whether it was a repetition.
        self._previous: tuple[Transaction, int] | None = None
        self._repeating = False

    def stamp(self, record: ConsumerRecord, change: Change) -> Change:
        """The record's change with its version. Call it for the changes of the partition in their
        order, once each."""
        base_us = change.version_us
        if not change.commit_us:
            self._previous = None
            if base_us < self.emptied_us < base_us + SNAPSHOT_MARGIN_US:
                base_us = self.emptied_us
        elif self._is_repetition((change.commit_us, change.transaction), change.lsn):
            return change
        base_us = believed(base_us, record)
        counter = crc32(record.key or b"") % COUNTERS
        version_us = max(base_us, self._counters[counter] + 1)
        if change.deleted:
            self._last_delete_us = max(version_us, self._last_delete_us)
        elif version_us <= self._last_delete_us:
            # The key in Cassandra may be another than in PostgreSQL: then the deleted row and this
            # one can be the same, and of equal versions the delete would win.
            version_us = self._last_delete_us + 1
        if change.before is not None:
            # It may have moved in Cassandra's key; then its old place is deleted with the version
            # just before (RowEncoder), and the row that takes the place must be newer than that.
            self._last_delete_us = max(version_us - 1, self._last_delete_us)
        self._counters[counter] = version_us
        if version_us > self._largest_us:
            self._largest_us = version_us
        return change if version_us == change.version_us else change._replace(version_us=version_us)

    def _is_repetition(self, transaction: Transaction, lsn: int | None) -> bool:
        """Whether Debezium has sent the change before. It sends changes again after a crash and
        after a blocking snapshot. The order of the log is not the order of the row then: between
        the two, a snapshot may have shown a later state."""
        if lsn is None:
            return False
        if self._previous == (transaction, lsn):  # several rows of one entry in PostgreSQL's log
            return self._repeating
        known_lsn = self._recent.get(transaction)
        if known_lsn is not None:
            self._repeating = lsn <= known_lsn
        else:
            self._repeating = transaction[0] <= self._older_us and lsn <= self._older_lsn
        self._previous = (transaction, lsn)
        if not self._repeating:
            self._recent[transaction] = lsn
            if len(self._recent) > RECENT_TRANSACTIONS:
                oldest = next(iter(self._recent))
                self._older_us = max(self._older_us, oldest[0])
                self._older_lsn = max(self._older_lsn, self._recent.pop(oldest))
        return self._repeating

    def saved(self) -> str:
        """What the next owner of the partition needs, as text for the committed offset. It gets one
        upper bound for all counters: versions may become larger than they would have been, never
        smaller."""
        recent = [[*transaction, lsn] for transaction, lsn in self._recent.items()]
        previous = [*self._previous[0], self._previous[1], self._repeating] if self._previous else None
        return orjson.dumps([FORMAT, self._largest_us, self._older_us, self._older_lsn, recent, previous]).decode()

    @classmethod
    def following(cls, earlier: Iterable[tuple[ConsumerRecord, Change]]) -> "PartitionVersions":
        """The versions of what follows these changes, for a reader who takes the rows themselves
        from a snapshot that is made later. The snapshot contains all of them, so its rows are newer
        than each; and each is a repetition if Debezium sends it again."""
        versions = cls()
        for record, change in earlier:
            versions._largest_us = max(versions._largest_us, believed(change.version_us, record))
            versions._older_us = max(versions._older_us, believed(change.commit_us, record))
            versions._older_lsn = max(versions._older_lsn, change.lsn or -1)
        return cls.restored(versions.saved())

    @classmethod
    def restored(cls, text: str, lease: int = 0) -> "PartitionVersions":
        """From `saved`; a text of anything else (a group's first offsets, offsets that were reset
        by hand) starts with the commit times."""
        try:
            form, largest_us, older_us, older_lsn, recent, previous = orjson.loads(text)
            if form != FORMAT:
                return cls(lease=lease)
            versions = cls(largest_us, lease)
            versions._older_us, versions._older_lsn = older_us, older_lsn
            versions._recent = {(commit_us, number): lsn for commit_us, number, lsn in recent}
            if previous is not None:
                commit_us, number, lsn, versions._repeating = previous
                versions._previous = ((commit_us, number), lsn)
        except (ValueError, TypeError, OverflowError):
            return cls(lease=lease)
        return versions


class RowVersions:
    """The versions of the Kafka partitions that this consumer owns. `saved_text` returns what was
    committed with a partition's offset."""

    def __init__(self, saved_text: Callable[[TopicPartition], str]) -> None:
        self._saved_text = saved_text
        self._partitions: dict[TopicPartition, PartitionVersions] = {}
        self._emptied_us: dict[str, int] = {}
        self._leases = count(1)

    def of(self, partition: TopicPartition) -> PartitionVersions:
        versions = self._partitions.get(partition)
        if versions is None:
            versions = PartitionVersions.restored(self._saved_text(partition), next(self._leases))
            versions.emptied_us = self._emptied_us.get(partition.topic, NEVER_US)
            self._partitions[partition] = versions
        return versions

    def restart(self, partition: TopicPartition, text: str) -> int:
        """The partition is read again from where its state was `text`. Returns the new lease."""
        versions = PartitionVersions.restored(text, next(self._leases))
        versions.emptied_us = self._emptied_us.get(partition.topic, NEVER_US)
        self._partitions[partition] = versions
        return versions.lease

    def is_current(self, partition: TopicPartition, lease: int) -> bool:
        """Whether the partition has been this consumer's since then, without a break."""
        versions = self._partitions.get(partition)
        return versions is not None and versions.lease == lease

    def keep(self, owned: Iterable[TopicPartition]) -> None:
        """Forget every other partition: another consumer goes on with it."""
        kept = set(owned)
        self._partitions = {key: value for key, value in self._partitions.items() if key in kept}

    def emptied(self, topic: str, commit_us: int) -> None:
        """The topic's table was truncated at this time."""
        if commit_us > self._emptied_us.get(topic, NEVER_US):
            self._emptied_us[topic] = commit_us
            for partition, versions in self._partitions.items():
                if partition.topic == topic:
                    versions.emptied_us = commit_us
