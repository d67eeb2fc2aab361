"""The watermark moves when everything is applied that was in Kafka at a moment, and to that
moment."""

import pytest
from kafka import TopicPartition

from pipeline.current.watermark import EVERY_SECONDS, Watermark
from pipeline.errors import StoreUnavailable

P = TopicPartition("t", 0)


class Kafka:
    def __init__(self):
        self.ends, self.asked = {P: 10}, 0

    def ends_of(self, partitions):
        self.asked += 1
        return {partition: self.ends[partition] for partition in partitions}


class Store:
    def __init__(self):
        self.reply, self.refreshed = (True, 0), []

    def refresh(self, partitions, ms_ago):
        if self.reply is None:
            raise StoreUnavailable("down")
        self.refreshed.append((set(partitions), ms_ago))
        return self.reply


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def watermark(kafka, store, clock):
    made = Watermark(kafka, store, clock)
    clock.now += EVERY_SECONDS
    return made


def test_end_that_is_reached_moves_it_to_when_the_end_was_asked_for(watermark, store, clock):
    assert watermark.step({P: 8})
    assert store.refreshed == []
    clock.now += 2
    assert watermark.step({P: 10})
    assert store.refreshed == [({P}, 2000)]
    assert watermark.complete


def test_changes_without_a_pause_do_not_hold_it_up(watermark, store, kafka, clock):
    """The end moves on with every poll; the one that was asked for is reached all the same."""
    for position in range(8, 20):
        kafka.ends[P] = position + 5
        watermark.step({P: position})
        clock.now += 0.1
    assert len(store.refreshed) >= 2


def test_kafka_is_asked_only_every_half_second(watermark, kafka, clock):
    for _ in range(100):
        watermark.step({P: 10})
        clock.now += 0.01
    assert kafka.asked <= 3


def test_partitions_that_moved_are_asked_for_again(watermark, store, kafka):
    other = TopicPartition("t", 1)
    watermark.step({P: 8})
    kafka.ends[other] = 0
    watermark.step({P: 10, other: 0})
    assert store.refreshed == [({P, other}, 0)]


def test_lost_position_is_told(watermark, store):
    store.reply = (False, 1)
    assert not watermark.step({P: 10})
    assert not watermark.complete


def test_failed_refresh_is_tried_again_with_new_ends(watermark, store, kafka, clock):
    store.reply = None
    with pytest.raises(StoreUnavailable):
        watermark.step({P: 10})
    store.reply = (True, 0)
    clock.now += 1
    assert watermark.step({P: 10})
    assert kafka.asked == 2
