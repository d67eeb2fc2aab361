"""Records that can never be written go to a topic of their own: unchanged, with the reason in
headers. Knows Kafka; knows nothing of why a record cannot be written."""

import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import TopicAlreadyExistsError

from pipeline.settings import Settings

log = logging.getLogger(__name__)

HEADER_PREFIX = "dead_letter."
# The reason is read by people; the complete value is in the record. Without a limit an error that
# quotes a huge value would make a dead letter that Kafka refuses.
MAX_REASON_CHARACTERS = 1000
# Connect delivers records of up to nearly 1 MiB; a dead letter is such a record with headers added.
MAX_LETTER_BYTES = 4 * 1024 * 1024
REASON, TOPIC, PARTITION, OFFSET, VERSION = (
    HEADER_PREFIX + name for name in ("reason", "topic", "partition", "offset", "version_us")
)


class DeadLetter(NamedTuple):
    """`malformed`: the record itself is not an envelope; otherwise its row cannot be stored under
    the current schema. `version_us`: of its change; a replay writes the row with it."""

    record: ConsumerRecord
    reason: str
    malformed: bool = False
    version_us: int | None = None


class Origin(NamedTuple):
    """Where a record was first read, and the headers it had there. A dead letter that is replayed
    and still cannot be written keeps its first origin."""

    topic: str
    partition: int
    offset: int
    headers: list[tuple[str, bytes]]


def topic_name(settings: Settings) -> str:
    return f"{settings.TOPIC_PREFIX}.dead_letters"


def origin(record: ConsumerRecord) -> Origin:
    added = {name: value.decode() for name, value in record.headers if name.startswith(HEADER_PREFIX)}
    original = [(name, value) for name, value in record.headers if not name.startswith(HEADER_PREFIX)]
    if TOPIC not in added:
        return Origin(record.topic, record.partition, record.offset, original)
    return Origin(added[TOPIC], int(added[PARTITION]), int(added[OFFSET]), original)


def connect(settings: Settings) -> KafkaProducer:
    """A producer of dead letters; creates their topic if it does not exist. Raises KafkaError."""
    servers = list(settings.KAFKA_BOOTSTRAP_SERVERS)
    admin = KafkaAdminClient(bootstrap_servers=servers)
    try:
        # A person has to look at them, so they never expire.
        topic_configs = {"retention.ms": "-1", "max.message.bytes": str(MAX_LETTER_BYTES)}
        admin.create_topics([NewTopic(topic_name(settings), 1, 1, topic_configs=topic_configs)], timeout_ms=10_000)
    except TopicAlreadyExistsError:
        pass
    finally:
        admin.close()
    return KafkaProducer(
        bootstrap_servers=servers, acks="all", client_id="crypto-dead-letters", max_request_size=MAX_LETTER_BYTES
    )


class DeadLetters:
    """Sends dead letters and waits until Kafka has confirmed them. Connects when there is a first
    one."""

    def __init__(self, settings: Settings, connect: Callable[[Settings], KafkaProducer] = connect) -> None:
        self._settings = settings
        self._connect = connect
        self._topic = topic_name(settings)
        self._producer: KafkaProducer | None = None

    def send(self, letters: Iterable[DeadLetter]) -> int:
        """Returns how many were sent. Raises KafkaError when Kafka did not accept one of them;
        sending again makes a second copy, which does no harm."""
        futures = []
        for record, reason, _, version_us in letters:
            if self._producer is None:
                self._producer = self._connect(self._settings)
            first = origin(record)
            headers = [
                *first.headers,
                (REASON, reason.encode()),
                (TOPIC, first.topic.encode()),
                (PARTITION, str(first.partition).encode()),
                (OFFSET, str(first.offset).encode()),
            ]
            if version_us is not None:
                headers.append((VERSION, str(version_us).encode()))
            futures.append(self._producer.send(self._topic, key=record.key, value=record.value, headers=headers))
            where = {"topic": first.topic, "partition": first.partition, "offset": first.offset}
            log.error("dead_letter", extra={**where, "reason": reason})
        for future in futures:
            future.get(timeout=30)
        return len(futures)

    def close(self) -> None:
        if self._producer:
            self._producer.close(timeout=5)
