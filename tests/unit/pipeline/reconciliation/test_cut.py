"""When everything before a position in PostgreSQL's log is in a store."""

import pytest
from kafka import TopicPartition

from pipeline.reconciliation.cut import MAX_WAIT_SECONDS, Cut, StreamStands
from tests.unit.support.clocks import FakeClock

P0, P1 = TopicPartition("crypto.public.klines", 0), TopicPartition("crypto.public.klines", 1)


class Stream:
    """What PostgreSQL and Kafka say now."""

    def __init__(self) -> None:
        self.confirmed = 0
        self.end = {P0: 10, P1: 5}

    def confirmed_position(self) -> int:
        return self.confirmed

    def ends(self, tables: set[str]) -> dict[TopicPartition, int]:
        assert tables == {"klines"}
        return dict(self.end)


class Consumer:
    name = "the consumer to Redis"
    tables = {"klines"}

    def __init__(self) -> None:
        self.at: dict[TopicPartition, int] = {}

    def reached(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: self.at[each] for each in partitions if each in self.at}


def cut_at(position: int) -> tuple[Cut, Stream, Consumer, FakeClock]:
    stream, consumer, clock = Stream(), Consumer(), FakeClock()
    return Cut(stream, consumer, position, clock), stream, consumer, clock  # type: ignore[arg-type]


def test_a_cut_passes_when_the_store_has_what_kafka_had_once_postgres_was_confirmed() -> None:
    cut, stream, consumer, _ = cut_at(100)
    consumer.at = {P0: 99, P1: 99}
    assert not cut.has_passed(), "Debezium has not sent everything to Kafka"
    stream.confirmed, consumer.at = 100, {P0: 10}
    assert not cut.has_passed(), "the store has nothing of a partition"
    stream.end = {P0: 1000, P1: 1000}  # later records are not waited for
    consumer.at = {P0: 3, P1: 4}
    assert not cut.has_passed()
    consumer.at = {P0: 3, P1: 5}
    assert cut.has_passed()


def test_a_cut_that_does_not_pass_names_the_consumer_and_what_it_waits_for() -> None:
    cut, stream, consumer, clock = cut_at(100)
    stream.confirmed, consumer.at = 100, {P1: 5}
    assert not cut.has_passed()
    clock.now += MAX_WAIT_SECONDS + 1
    with pytest.raises(StreamStands, match=r"the consumer to Redis has not written .* \(crypto.public.klines\[0\]\)"):
        cut.has_passed()
