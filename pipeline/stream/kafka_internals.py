"""Every place where the stream relies on undocumented parts of kafka-python. Read in the version
below; before a newer one is allowed in requirements.txt, read it again there.
tests/unit/pipeline/stream/test_kafka_internals.py compares each place with what the library itself
does."""

from kafka import KafkaConsumer

from pipeline.stream.fetched_records import FetchedRecords

READ_IN_VERSION = "3.0"


def keep_joining(consumer: KafkaConsumer) -> bool:
    """Whether the consumer is joining its group; if so, makes sure that the next poll goes on with
    it.

    kafka-python forgets a join that outlasts a poll: the next poll asks again whether a join is
    needed, and the reason (topics that changed) is gone once the leader has assigned them. Then the
    consumer sends no heartbeats, cannot commit and never joins the group again. Java's client asks
    whether a join is "needed or pending"."""
    coordinator = consumer._coordinator
    if coordinator.rejoining:
        coordinator.request_rejoin()
    return bool(coordinator.rejoining)


def wait_for_records(consumer: KafkaConsumer, min_bytes: int, max_wait_ms: int) -> None:
    """How long the broker collects records before it answers the fetches from now on; the option of
    the same name holds for the consumer's whole life."""
    consumer._fetcher.config.update(fetch_min_bytes=min_bytes, fetch_max_wait_ms=max_wait_ms)


def decode_quickly(consumer: KafkaConsumer) -> None:
    """Fetched records are decoded by FetchedRecords."""
    consumer._fetcher.PartitionRecords = FetchedRecords


def topic_id(consumer: KafkaConsumer, topic: str) -> object:
    """Kafka's id of the topic, as of the last list of topics; another topic of the same name has
    another one. None if it is not known."""
    return consumer._cluster.topic_id(topic)
