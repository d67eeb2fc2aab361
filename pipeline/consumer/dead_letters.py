"""Records that can never be written go to a topic of their own: unchanged, with the reason in
headers. Knows Kafka; knows nothing of why a record cannot be written."""

import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import MessageSizeTooLargeError, TopicAlreadyExistsError
from kafka.producer.future import FutureRecordMetadata

from pipeline import kafka_connection
from pipeline.settings import Settings

log = logging.getLogger(__name__)

HEADER_PREFIX = "dead_letter."
# The reason is read by people; the complete value is in the record. Without a limit an error that
# quotes a huge value would make a dead letter that Kafka refuses.
MAX_REASON_CHARACTERS = 1000
# The limit of the captured tables' topics; a dead letter is such a record with headers added. One
# that is larger is sent without its value.
MAX_LETTER_BYTES = 16 * 1024 * 1024
# What Kafka adds to key, value and headers at most.
OVERHEAD_BYTES = 1024
REASON, TOPIC, PARTITION, OFFSET, VERSION = (
    HEADER_PREFIX + name for name in ("reason", "topic", "partition", "offset", "version_us")
)
VALUE_LEFT_OUT = HEADER_PREFIX + "value_left_out"


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


class Message(NamedTuple):
    """What is sent to Kafka for a dead letter."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]

    @property
    def size_bytes(self) -> int:
        headers = sum(len(name.encode()) + len(value) for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers + OVERHEAD_BYTES

    def without_value(self) -> "Message":
        """For a value that Kafka does not take together with the headers."""
        note = f"{len(self.value or b''):,} bytes are too many for a dead letter: read the record in its own topic"
        short = Message(self.key or b"", None, [*self.headers, (VALUE_LEFT_OUT, note.encode())])
        if short.size_bytes <= MAX_LETTER_BYTES:
            return short
        return Message(b"", None, [header for header in short.headers if header[0].startswith(HEADER_PREFIX)])


def topic_name(settings: Settings) -> str:
    return f"{settings.TOPIC_PREFIX}.dead_letters"


def origin(record: ConsumerRecord) -> Origin:
    """Kafka allows headers to be null, and anyone may send headers with our names: then the record
    is its own origin."""
    original = [(name, value or b"") for name, value in record.headers if not name.startswith(HEADER_PREFIX)]
    added = {name: value for name, value in record.headers if name.startswith(HEADER_PREFIX) and value is not None}
    try:
        return Origin(added[TOPIC].decode(), int(added[PARTITION]), int(added[OFFSET]), original)
    except (KeyError, ValueError):
        return Origin(record.topic, record.partition, record.offset, original)


def message(letter: DeadLetter) -> Message:
    first = origin(letter.record)
    headers = [
        *first.headers,
        (REASON, letter.reason.encode(errors="replace")),
        (TOPIC, first.topic.encode()),
        (PARTITION, str(first.partition).encode()),
        (OFFSET, str(first.offset).encode()),
    ]
    if letter.version_us is not None:
        headers.append((VERSION, str(letter.version_us).encode()))
    left_out = dict(letter.record.headers).get(VALUE_LEFT_OUT)
    if left_out is not None:
        headers.append((VALUE_LEFT_OUT, left_out))
    whole = Message(letter.record.key, letter.record.value, headers)
    return whole if whole.size_bytes <= MAX_LETTER_BYTES else whole.without_value()


def connect(settings: Settings) -> KafkaProducer:
    """A producer of dead letters; creates their topic if it does not exist. Raises KafkaError."""
    admin = kafka_connection.admin(settings)
    try:
        # A person has to look at them, so they never expire.
        topic_configs = {"retention.ms": "-1", "max.message.bytes": str(MAX_LETTER_BYTES)}
        topic = NewTopic(topic_name(settings), 1, settings.KAFKA_REPLICATION_FACTOR, topic_configs=topic_configs)
        admin.create_topics([topic], timeout_ms=10_000)
    except TopicAlreadyExistsError:
        # Created by an earlier version, with a lower limit.
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic_name(settings), topic_configs)])
    finally:
        admin.close()
    return kafka_connection.producer(
        settings,
        acks="all",
        client_id="crypto-dead-letters",
        max_request_size=MAX_LETTER_BYTES + OVERHEAD_BYTES,
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
        sent = []
        for letter in letters:
            if self._producer is None:
                self._producer = self._connect(self._settings)
            whole = message(letter)
            sent.append((whole, self._send(self._producer, whole)))
            first = origin(letter.record)
            where = {"topic": first.topic, "partition": first.partition, "offset": first.offset}
            log.error("dead_letter", extra={**where, "reason": letter.reason})
        for whole, future in sent:
            try:
                future.get(timeout=30)
            except MessageSizeTooLargeError:  # the topic's limit is lower than ours
                self._send(self._producer, whole.without_value()).get(timeout=30)
        return len(sent)

    def _send(self, producer: KafkaProducer, whole: Message) -> FutureRecordMetadata:
        try:
            return producer.send(self._topic, key=whole.key, value=whole.value, headers=whole.headers)
        except MessageSizeTooLargeError:  # the library's own estimate of the size
            return self._send(producer, whole.without_value())

    def close(self) -> None:
        if self._producer:
            self._producer.close(timeout=5)
