"""For a store that begins at the end of a Kafka partition: what the records just before it say
about the versions of what follows. Debezium may send those changes again, and then they must be
older than the rows of the snapshot that shows their outcome. Knows nothing of any store."""

import time
from collections.abc import Iterable, Iterator, Mapping

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaTimeoutError

from pipeline import kafka_connection
from pipeline.changes import Change
from pipeline.errors import UnwritableRecord
from pipeline.settings import Settings
from pipeline.stream.envelope import parse
from pipeline.stream.kafka_offsets import TIMEOUT_MS, Bounds
from pipeline.stream.record_source import Records
from pipeline.stream.row_versions import PartitionVersions

# More than Debezium sends again: what it streamed since Connect last stored its position, 5 s
# before. Fewer would also do, because the largest commit time is nearly always that of the last.
LAST_RECORDS = 1000


def last_records(settings: Settings, bounds: Mapping[TopicPartition, Bounds]) -> Records:
    """Up to LAST_RECORDS records before the end of each partition; no partition that has none.
    Raises KafkaError."""
    wanted = {partition: at for partition, at in bounds.items() if at.first < at.end}
    found: Records = {}
    if not wanted:
        return found
    # Without a group: nothing is committed, and the members of the group do not notice.
    reader = kafka_connection.consumer(
        settings,
        client_id="crypto-last-records",
        enable_auto_commit=False,
        isolation_level="read_committed",
        allow_auto_create_topics=False,
    )
    try:
        reader.assign(list(wanted))
        for partition, at in wanted.items():
            reader.seek(partition, max(at.first, at.end - LAST_RECORDS))
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while unread := [p for p, at in wanted.items() if reader.position(p, timeout_ms=TIMEOUT_MS) < at.end]:
            if time.monotonic() > deadline:
                raise KafkaTimeoutError(f"no answer with the last records of {unread[0]}")
            for partition, records in reader.poll(timeout_ms=500).items():
                found.setdefault(partition, []).extend(records)
    finally:
        reader.close(timeout_ms=TIMEOUT_MS)
    return found


def state_after(table: str, records: Iterable[ConsumerRecord]) -> str:
    """The state of the versions of a Kafka partition (Mark.state) after these records of it."""
    return PartitionVersions.following(changes_in(table, records)).saved()


def changes_in(table: str, records: Iterable[ConsumerRecord]) -> Iterator[tuple[ConsumerRecord, Change]]:
    for record in records:
        try:
            change = parse(table, record.value, record.key)
        except UnwritableRecord:
            continue
        if isinstance(change, Change):
            yield record, change
