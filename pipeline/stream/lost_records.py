"""Reports records that Kafka removed before they were read. Knows Kafka's partitions; decides
nothing."""

import logging

from kafka import TopicPartition
from prometheus_client import Counter

log = logging.getLogger(__name__)

LOST = Counter(
    "consumer_records_lost_total", "Records that Kafka removed before they were read", ["topic", "partition"]
)


def report_lost(partition: TopicPartition, position: int, first_offset: int, end_offset: int) -> None:
    """`position`: the offset that was to be read next. `first_offset`, `end_offset`: what Kafka has
    now. A position beyond the end belongs to a topic that was deleted and created again."""
    where = {"topic": partition.topic, "partition": partition.partition}
    if position > end_offset:
        log.warning("topic_recreated", extra={**where, "position": position, "end_offset": end_offset})
        return
    lost = first_offset - position
    if lost <= 0:
        return
    LOST.labels(partition.topic, partition.partition).inc(lost)
    offsets = {"first_lost_offset": position, "last_lost_offset": first_offset - 1}
    log.error("records_lost", extra={**where, **offsets, "remedy": remedy(partition.topic)})


def remedy(topic: str) -> str:
    """The SQL statement that reads the table's current rows once more."""
    schema_and_table = ".".join(topic.split(".")[-2:])
    return (
        "INSERT INTO debezium_signal (id, type, data) VALUES (gen_random_uuid(), 'execute-snapshot',"
        f""" '{{"type": "blocking", "data-collections": ["{schema_and_table}"]}}')"""
    )
