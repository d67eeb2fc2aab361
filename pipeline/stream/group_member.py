"""A member of a consumer group, as every consumer of the captured changes needs it. Decides
kafka-python's options; reads nothing."""

from kafka import KafkaConsumer

from pipeline import kafka_connection
from pipeline.settings import Settings
from pipeline.stream.kafka_internals import decode_quickly

# Enough rows for full batches; few enough that a poll is parsed and written within about a second.
MAX_POLL_RECORDS = 5000
IDLE_WAIT_MS = 500
# A row of 16 MiB is the largest that the chain passes on; its record holds it up to twice (before
# and after). Kafka returns a record that is larger than this by itself, so this bounds the memory
# of a fetch and not the record.
MAX_FETCH_BYTES = 32 * 1024 * 1024


def group_member(settings: Settings, group: str, metadata_max_age_ms: int) -> KafkaConsumer:
    """`metadata_max_age_ms`: how soon new topics and partitions are noticed."""
    # No deserialiser: in kafka-python an exception in one makes the next poll hang forever.
    member = kafka_connection.consumer(
        settings,
        group_id=group,
        client_id="crypto-consumer",
        enable_auto_commit=False,
        # An offset that Kafka does not have is an error, so that lost records are noticed.
        auto_offset_reset="none",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        max_poll_records=MAX_POLL_RECORDS,
        fetch_max_wait_ms=IDLE_WAIT_MS,
        fetch_max_bytes=MAX_FETCH_BYTES,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        metadata_max_age_ms=metadata_max_age_ms,
        # The library's own; nobody reads them, and they take a tenth of a small poll.
        metrics_enabled=False,
        # How long the partitions of a killed member wait until others get them. Heartbeats come
        # from a thread of the library.
        session_timeout_ms=10_000,
        # A poll is written in about a second; in an outage `hold` keeps polling.
        max_poll_interval_ms=300_000,
    )
    decode_quickly(member)
    return member
