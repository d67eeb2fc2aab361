from collections import namedtuple

import pytest
from kafka.errors import KafkaTimeoutError

from pipeline.consumer.dead_letters import DeadLetter, DeadLetters, topic_name

Record = namedtuple("Record", "topic partition offset key value headers")
RECORD = Record("crypto.public.klines", 2, 18_231, b'{"symbol":"ETHUSDT"}', b"\xff\x00 bytes", [("trace", b"1")])


class FakeProducer:
    def __init__(self, error=None):
        self.sent = []
        self.confirmed = 0
        self.error = error

    def send(self, topic, **message):
        self.sent.append((topic, message))
        return self

    def get(self, timeout):
        assert timeout > 0
        if self.error is not None:
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
