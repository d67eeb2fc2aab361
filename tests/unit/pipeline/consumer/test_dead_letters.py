from collections import namedtuple
from unittest.mock import Mock

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from pipeline.consumer import dead_letters
from pipeline.consumer.dead_letters import MAX_LETTER_BYTES, DeadLetter, DeadLetters, topic_name
from pipeline.consumer.poll import Poll

Record = namedtuple("Record", "topic partition offset key value headers")
RECORD = Record("crypto.public.klines", 2, 18_231, b'{"symbol":"ETHUSDT"}', b"\xff\x00 bytes", [("trace", b"1")])


class FakeProducer:
    def __init__(self, error=None):
        self.sent = []
        self.confirmed = 0
        self.error = error
        self.get_errors = float("inf")

    def send(self, topic, **message):
        self.sent.append((topic, message))
        return self

    def get(self, timeout):
        assert timeout > 0
        if self.error is not None and self.get_errors:
            self.get_errors -= 1
            raise self.error
        self.confirmed += 1


@pytest.fixture
def connected(defaults):
    def make(error=None):
        producer = FakeProducer(error)
        return DeadLetters(defaults, connect=lambda _settings: producer), producer

    return make


def test_topic_is_named_after_the_prefix(defaults):
    assert topic_name(defaults) == "crypto.dead_letters"


def test_letter_holds_the_original_bytes_and_where_they_came_from(connected):
    letters, producer = connected()
    assert letters.send([DeadLetter(RECORD, "not JSON: größer")]) == 1
    ((topic, message),) = producer.sent
    assert topic == "crypto.dead_letters"
    assert (message["key"], message["value"]) == (RECORD.key, RECORD.value)
    assert message["headers"] == [
        ("trace", b"1"),
        ("dead_letter.reason", "not JSON: größer".encode()),
        ("dead_letter.topic", b"crypto.public.klines"),
        ("dead_letter.partition", b"2"),
        ("dead_letter.offset", b"18231"),
    ]


def test_letter_that_is_refused_again_keeps_its_first_origin_and_has_one_reason(connected):
    letters, producer = connected()
    letters.send([DeadLetter(RECORD, "first reason")])
    again = Record("crypto.dead_letters", 0, 4, RECORD.key, RECORD.value, producer.sent[0][1]["headers"])
    letters.send([DeadLetter(again, "second reason")])
    headers = producer.sent[1][1]["headers"]
    assert len(headers) == len(dict(headers)) == 5
    assert dict(headers) == {
        "trace": b"1",
        "dead_letter.reason": b"second reason",
        "dead_letter.topic": b"crypto.public.klines",
        "dead_letter.partition": b"2",
        "dead_letter.offset": b"18231",
    }


def test_letter_holds_the_version_that_the_row_would_have_had(connected):
    letters, producer = connected()
    letters.send([DeadLetter(RECORD, "x", version_us=1_795_000_000_000_001)])
    assert producer.sent[0][1]["headers"][-1] == ("dead_letter.version_us", b"1795000000000001")


def test_send_waits_until_every_letter_is_confirmed(connected):
    letters, producer = connected()
    assert letters.send([DeadLetter(RECORD, "x")] * 3) == 3
    assert producer.confirmed == 3


def test_letter_that_kafka_does_not_confirm_raises(connected):
    letters, _ = connected(KafkaTimeoutError("no broker"))
    with pytest.raises(KafkaTimeoutError):
        letters.send([DeadLetter(RECORD, "x")])


def test_letter_is_logged_with_topic_partition_and_offset(connected, caplog):
    letters, _ = connected()
    letters.send([DeadLetter(RECORD, "not JSON")])
    (line,) = caplog.records
    assert (line.topic, line.partition, line.offset, line.reason) == (RECORD.topic, 2, 18_231, "not JSON")


def test_nothing_to_send_needs_no_kafka(defaults):
    def connect(_settings):
        raise AssertionError("connected to Kafka for nothing")

    letters = DeadLetters(defaults, connect)
    assert letters.send([]) == 0
    letters.close()


def test_header_without_a_value_is_kept_as_an_empty_one(connected):
    """Kafka allows null there; kafka-python does not send it."""
    letters, producer = connected()
    letters.send([DeadLetter(RECORD._replace(headers=[("traceparent", None)]), "x")])
    assert producer.sent[0][1]["headers"][0] == ("traceparent", b"")


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"soon"])
def test_headers_of_others_with_our_names_do_not_stop_the_consumer(connected, value):
    letters, producer = connected()
    headers = [(f"dead_letter.{name}", value) for name in ("reason", "topic", "partition", "offset")]
    letters.send([DeadLetter(RECORD._replace(headers=headers), "x")])
    sent = dict(producer.sent[0][1]["headers"])
    assert (sent["dead_letter.topic"], sent["dead_letter.offset"]) == (b"crypto.public.klines", b"18231")


def test_letter_that_is_too_large_is_sent_without_its_value_and_says_so(connected):
    letters, producer = connected()
    letters.send([DeadLetter(RECORD._replace(value=b"x" * MAX_LETTER_BYTES), "too large")])
    message = producer.sent[0][1]
    assert (message["key"], message["value"]) == (RECORD.key, None)
    assert b"16,777,216 bytes" in dict(message["headers"])["dead_letter.value_left_out"]
    assert dict(message["headers"])["dead_letter.offset"] == b"18231"


@pytest.mark.parametrize(
    "record",
    [
        RECORD._replace(key=b"x" * MAX_LETTER_BYTES),
        RECORD._replace(headers=[("large", b"x" * MAX_LETTER_BYTES)]),
        RECORD._replace(key=None, value=b"x" * MAX_LETTER_BYTES),
    ],
    ids=["key", "header", "no key"],
)
def test_letter_always_fits_into_kafka(connected, record):
    letters, producer = connected()
    letters.send([DeadLetter(record, "too large")])
    message = producer.sent[0][1]
    assert len(message["key"]) + sum(len(name) + len(value) for name, value in message["headers"]) < MAX_LETTER_BYTES
    assert message["key"] is not None or message["value"] is not None  # kafka-python requires one of them


def test_topic_with_a_lower_limit_gets_the_letter_without_its_value(connected):
    letters, producer = connected(MessageSizeTooLargeError())
    producer.get_errors = 1
    assert letters.send([DeadLetter(RECORD, "x")]) == 1
    assert [message["value"] for _, message in producer.sent] == [RECORD.value, None]


def test_replay_of_a_letter_without_its_value_is_refused_again(connected):
    """It would pass for a tombstone and be counted as written."""
    letters, producer = connected()
    letters.send([DeadLetter(RECORD._replace(value=b"x" * MAX_LETTER_BYTES), "too large")])
    message = producer.sent[0][1]
    again = Record("crypto.dead_letters", 0, 4, message["key"], message["value"], message["headers"])
    poll = Poll.parse({TopicPartition("crypto.dead_letters", 0): [again]}, lambda _record: "klines")
    assert "update the row in PostgreSQL" in poll.dead_letters[0].reason
    letters.send(poll.dead_letters)
    assert "dead_letter.value_left_out" in dict(producer.sent[1][1]["headers"])


def test_producer_is_given_options_only_that_the_library_knows(defaults, monkeypatch):
    """An unknown one raises ValueError, which stops the consumer at its first dead letter."""
    given = {}
    monkeypatch.setattr(dead_letters.kafka_connection, "admin", lambda _settings: Mock())
    monkeypatch.setattr(dead_letters.kafka_connection, "producer", lambda _settings, **options: given.update(options))
    dead_letters.connect(defaults)
    assert given.keys() <= KafkaProducer.DEFAULT_CONFIG.keys()
    assert given["max_request_size"] > MAX_LETTER_BYTES
