"""The order of a rebuild: positions, snapshot, ends, complete. Each step is broken in turn."""

import pytest
from kafka import TopicPartition

from pipeline.current.poll import TABLES
from pipeline.current.rebuild import MAX_SNAPSHOT_SECONDS, STEP_SECONDS, Rebuild
from pipeline.current.store import Claim, Stored
from pipeline.errors import PostgresUnavailable

PARTITIONS = {TopicPartition(f"crypto.public.{table}", 0) for table in TABLES}


class World:
    """Kafka, Redis and PostgreSQL in one."""

    def __init__(self):
        self.claim = Claim.KEPT
        self.known = dict.fromkeys(PARTITIONS, Stored(5, ""))
        self.awaiting = ["latest_prices"]
        self.requested, self.sent, self.postgres_down = [], False, False
        self.ends = dict.fromkeys(PARTITIONS, 9)
        self.finished = []

    def claim_rebuild(self, _me):
        return self.claim

    def partitions_of(self, _tables):
        return PARTITIONS

    def table_of(self, partition):
        return partition.topic.rsplit(".", 1)[1]

    def positions(self, _partitions):
        return self.known

    def ends_of(self, _partitions):
        return self.ends

    def awaiting_snapshot(self):
        return self.awaiting

    def finish_rebuild(self, tables):
        self.finished.append(list(tables))

    def request(self, tables):
        if self.postgres_down:
            raise PostgresUnavailable("down")
        self.requested.append(list(tables))
        return "0/1"

    def is_sent(self, _position):
        return self.sent


@pytest.fixture
def world():
    return World()


@pytest.fixture
def step(world, clock):
    rebuild = Rebuild(world, world, world, clock)

    def steps(count=1):
        for _ in range(count):
            clock.now += STEP_SECONDS
            rebuild.step()

    return steps


def test_complete_when_the_snapshot_and_everything_before_it_are_applied(world, step):
    step(2)
    assert world.requested == [["latest_prices"]]
    world.sent = True
    step(2)
    assert world.finished == []
    world.known = dict.fromkeys(PARTITIONS, Stored(9, ""))
    step()
    assert world.finished == [["latest_prices"]]
    assert len(world.requested) == 1


def test_no_snapshot_is_requested_when_kafka_has_everything(world, step):
    world.awaiting, world.known = [], dict.fromkeys(PARTITIONS, Stored(9, ""))
    step(2)
    assert (world.requested, world.finished) == ([], [[]])


def test_nothing_is_requested_before_every_partition_has_a_position(world, step):
    """A change between the snapshot and the position would be missing."""
    world.known = dict(list(world.known.items())[1:])
    step(3)
    assert world.requested == []


def test_another_consumer_that_sees_to_it_is_left_alone(world, step):
    world.claim = Claim.ANOTHER
    step(3)
    assert world.requested == []


def test_redis_emptied_once_more_begins_again(world, step):
    world.sent = True
    step(2)
    world.claim = Claim.NEW  # with everything else, the mark of this consumer was lost
    step()
    assert len(world.requested) == 2
    assert world.finished == []


def test_snapshot_that_never_comes_is_requested_again(world, step):
    step(int(MAX_SNAPSHOT_SECONDS / STEP_SECONDS) + 3)
    assert len(world.requested) == 2


def test_postgres_down_is_waited_for(world, step, caplog):
    world.postgres_down = True
    step(3)
    assert "postgres_unavailable" in caplog.text
    world.postgres_down = False
    step()
    assert len(world.requested) == 1


def test_table_that_lost_its_position_meanwhile_is_not_called_complete(world, step):
    world.sent = True
    step(2)
    world.awaiting, world.known = ["latest_prices", "order_book"], dict.fromkeys(PARTITIONS, Stored(9, ""))
    step()
    assert world.finished == []
    step(3)
    assert world.requested[-1] == ["latest_prices", "order_book"]
    assert world.finished == [["latest_prices", "order_book"]]
