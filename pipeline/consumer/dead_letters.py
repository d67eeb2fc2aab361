"""Records that can never be written go to a topic of their own, as they came, with the reason in
headers. Knows Kafka; knows nothing of why a record is bad."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import TopicAlreadyExistsError

from pipeline.settings import Settings

log = logging.getLogger(__name__)

OURS = "dead_letter."
# The reason is for people; the whole value is in the record. Without a bound an error that quotes a
# huge value makes a letter that Kafka refuses.
MAX_REASON_CHARACTERS = 1000
# Connect delivers records of up to nearly 1 MiB; a letter is that plus our headers.
MAX_LETTER_BYTES = 4 * 1024 * 1024
REASON, TOPIC, PARTITION, OFFSET = (OURS + name for name in ("reason", "topic", "partition", "offset"))


class DeadLetter(NamedTuple):
    """`malformed`: the record itself is not an envelope; otherwise its row cannot be stored under
    the current schema."""

    record: ConsumerRecord
    reason: str
    malformed: bool = False


class Origin(NamedTuple):
    """Where a record stood first, and the headers it had there. A dead letter that is read again
    and still cannot be written keeps its first origin."""

    topic: str
    partition: int
    offset: int
    headers: list[tuple[str, bytes]]


def topic_name(settings: Settings) -> str:
    return f"{settings.TOPIC_PREFIX}.dead_letters"


def origin(record: ConsumerRecord) -> Origin:
    ours = {name: value.decode() for name, value in record.headers if name.startswith(OURS)}
    others = [(name, value) for name, value in record.headers if not name.startswith(OURS)]
    if TOPIC not in ours:
        return Origin(record.topic, record.partition, record.offset, others)
    return Origin(ours[TOPIC], int(ours[PARTITION]), int(ours[OFFSET]), others)


class DeadLetters:
    """Sends dead letters and waits until Kafka has them. The connection is made with the first
    one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = topic_name(settings)
        self._producer: KafkaProducer | None = None

    def send(self, letters: Iterable[DeadLetter]) -> int:
        """Returns how many. Raises KafkaError when Kafka did not take one; sending again makes a
        second copy, which does no harm."""
        futures = []
        for record, reason, _ in letters:
            producer = self._producer or self._connect()
            first = origin(record)
            headers = [
                *first.headers,
                (REASON, reason.encode()),
                (TOPIC, first.topic.encode()),
                (PARTITION, str(first.partition).encode()),
                (OFFSET, str(first.offset).encode()),
            ]
            futures.append(producer.send(self._topic, key=record.key, value=record.value, headers=headers))
            where = {"topic": first.topic, "partition": first.partition, "offset": first.offset}
            log.error("dead_letter", extra={**where, "reason": reason})
        for future in futures:
            future.get(timeout=30)
        return len(futures)

    def _connect(self) -> KafkaProducer:
        servers = list(self._settings.KAFKA_BOOTSTRAP_SERVERS)
        admin = KafkaAdminClient(bootstrap_servers=servers)
        try:
            # A person has to look at them, so they are kept until then.
            kept_for_good = {"retention.ms": "-1", "max.message.bytes": str(MAX_LETTER_BYTES)}
            topic = NewTopic(self._topic, 1, 1, topic_configs=kept_for_good)
            admin.create_topics([topic], timeout_ms=10_000)
        except TopicAlreadyExistsError:
            pass
        finally:
            admin.close()
        self._producer = KafkaProducer(
            bootstrap_servers=servers, acks="all", client_id="crypto-dead-letters", max_request_size=MAX_LETTER_BYTES
        )
        return self._producer

    def close(self) -> None:
        if self._producer:
            self._producer.close(timeout=5)
