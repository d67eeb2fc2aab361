"""The API's side of Redis, against a real one: when it is relied on, and what it costs when it does
not answer."""

import threading
import time
from collections.abc import Iterator

import pytest
from kafka import TopicPartition

from pipeline.api.redis_reader import BEHIND, INCOMPLETE, MAX_BEHIND_MS, OK, UNAVAILABLE, RedisReader
from pipeline.current.poll import Batch
from pipeline.current.store import RedisStore
from pipeline.settings import load
from pipeline.stream.record_source import Mark
from pipeline.tables import PRICES, STATS
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

P0, P1 = TopicPartition("crypto.public.latest_prices", 0), TopicPartition("crypto.public.latest_prices", 1)
ROW = b'{"symbol":"ETHUSDT","price":2811.60000000,"updated_at":5}'


@pytest.fixture
def filled(store: RedisStore) -> RedisStore:
    """A complete Redis with one price, read up to now."""
    for partition in (P0, P1):
        store.begin(partition, 0)
    far_ms = 2**42
    store.apply([Batch(P0, "latest_prices", 0, Mark(1), 1, {"ETHUSDT": (5, ROW)}, {"ETHUSDT": far_ms, "OLDUSDT": 1})])
    store.finish_rebuild([])
    store.refresh([P0, P1], 0)
    return store


@pytest.fixture
def reader(server: RedisServer, filled: RedisStore) -> Iterator[RedisReader]:
    yield RedisReader(load("api", environ=server.environ, dotenv="/dev/null"))
    server.go_on()


def settle() -> None:
    time.sleep(0.35)  # until nothing is cached


def test_whole_state_comes_with_one_read(reader):
    state = reader.read()
    assert state.rows_of(PRICES) == [{"symbol": "ETHUSDT", "price": 2811.6, "updated_at": 5}]
    assert state.rows_of(STATS) == []
    assert state.tracked() == {"ETHUSDT"}
    assert (state.instruments(), state.source()) == ({}, {"name": None, "base_url": None})
    assert reader.status == OK


def test_empty_incomplete_or_behind_redis_is_not_relied_on(reader, server, filled):
    filled.refresh([P0, P1], MAX_BEHIND_MS + 500)
    assert reader.read() is None
    assert reader.status == BEHIND
    settle()
    filled.refresh([P0], 0)  # one of two partitions is still behind
    assert reader.read() is None
    settle()
    filled.refresh([P0, P1], 0)
    assert reader.read() is not None
    settle()
    server.client.delete("crypto:complete")
    assert reader.read() is None
    assert reader.status == INCOMPLETE
    settle()
    server.client.flushall()
    assert reader.read() is None


def test_partition_without_a_watermark_counts_as_behind(reader, filled):
    filled.begin(TopicPartition("crypto.public.order_book", 0), 0)
    filled.finish_rebuild([])
    assert reader.read() is None
    assert reader.status == BEHIND


def test_hanging_redis_costs_one_short_wait_and_is_found_again(reader, server):
    assert reader.read() is not None
    settle()
    server.hang()
    took = []
    for _ in range(50):
        began = time.monotonic()
        reader.read()
        took.append(time.monotonic() - began)
    assert reader.status == UNAVAILABLE
    assert max(took) < 0.5
    assert sum(took) < 0.8
    server.go_on()
    wait_until(lambda: (reader.read(), reader.status)[1] in (OK, BEHIND) or reader.status, 10, "Redis found again")


def test_hundred_requests_share_the_wait_for_a_hanging_redis(reader, server):
    settle()
    server.hang()
    took: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        assert reader.read() is None
        took.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(took) < 1
    server.go_on()


def test_killed_redis_is_found_again_after_its_restart(reader, server, caplog):
    server.kill()
    settle()
    assert reader.read() is None
    assert reader.status == UNAVAILABLE
    assert "redis_unavailable" in caplog.text
    server.start()
    wait_until(lambda: (reader.read(), reader.status)[1] == INCOMPLETE or reader.status, 10, "the empty Redis")


def test_wrong_password_is_an_outage_and_not_an_error(server):
    settings = load("api", environ={**server.environ, "REDIS_PASSWORD": "wrong"}, dotenv="/dev/null")
    reader = RedisReader(settings)
    assert reader.read() is None
    assert reader.status == UNAVAILABLE
