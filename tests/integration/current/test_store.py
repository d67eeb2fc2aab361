"""The scripts in a real Redis: a row is written only when it is newer, rows and position move in
one step, and an emptied Redis is noticed."""

from random import Random
from threading import Thread

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka import TopicPartition

from pipeline import redis_client
from pipeline.current.poll import Batch
from pipeline.current.store import MOVED, Claim, RedisStore
from pipeline.redis_client import OutOfMemory
from pipeline.redis_keys import CURRENT_TABLES, Keys
from pipeline.settings import load
from pipeline.stream.record_source import Mark

P0, P1 = TopicPartition("crypto.public.latest_prices", 0), TopicPartition("crypto.public.latest_prices", 1)
TABLE = "latest_prices"
T = 1_795_000_000_000_000


def row(value: object) -> bytes:
    return orjson.dumps({"price": value})


def batch(partition=P0, at=0, to=1, truncated_us=0, tracked=None, **rows) -> Batch:
    """`ETHUSDT=(T, 1)` is a row with version T; `(T, None)` a delete."""
    encoded = {symbol: (version, b"" if value is None else row(value)) for symbol, (version, value) in rows.items()}
    mark = Mark(to, f"state {to}")
    return Batch(partition, TABLE, at, mark, len(rows), encoded, tracked or {}, truncated_us=truncated_us)


def rows(server) -> dict[str, object]:
    return {k.decode(): orjson.loads(v)["price"] for k, v in server.client.hgetall("crypto:latest_prices").items()}


@pytest.fixture(autouse=True)
def begun(store: RedisStore) -> None:
    assert store.begin(P0, 0)
    assert store.begin(P1, 0)


def test_newer_row_replaces_and_older_one_changes_nothing(store, server):
    assert store.apply([batch(A=(T, 1), B=(T, 1))]) == [2]
    assert store.apply([batch(at=1, to=2, A=(T + 1, 2), B=(T - 1, 0))]) == [1]
    assert rows(server) == {"A": 2, "B": 1}


def test_same_row_again_changes_nothing(store, server):
    store.apply([batch(A=(T, 1))])
    store.apply([batch(P1, A=(T, 1))])
    assert rows(server) == {"A": 1}


def test_deleted_row_is_gone_and_no_replay_brings_it_back(store, server):
    store.apply([batch(A=(T, 1))])
    store.apply([batch(at=1, to=2, A=(T + 2, None))])
    store.apply([batch(P1, A=(T + 1, 9))])
    assert rows(server) == {}
    store.apply([batch(at=2, to=3, A=(T + 3, 2))])
    assert rows(server) == {"A": 2}
    assert server.client.zcard("crypto:deleted") == 0


def test_deletes_are_forgotten_when_kafka_cannot_send_the_row_again(store, server):
    store.apply([batch(A=(T, None), B=(T + 5, None), C=(T, 1))])
    assert store.forget(T + 1) == 1
    assert set(server.client.hkeys("crypto:versions:latest_prices")) == {b"B", b"C"}
    assert server.client.zrange("crypto:deleted", 0, -1) == [b"latest_prices B"]


def test_truncate_removes_older_rows_and_refuses_them_later(store, server):
    store.apply([batch(A=(T, 1), B=(T + 20, 2))])
    store.apply([batch(P1, truncated_us=T + 10, C=(T + 9, 3), D=(T + 11, 4))])
    assert rows(server) == {"B": 2, "D": 4}


def test_nothing_is_written_unless_the_partition_is_where_it_is_expected(store, server):
    assert store.apply([batch(at=5, to=6, A=(T, 1)), batch(P1, B=(T, 2))]) == [MOVED, 1]
    assert rows(server) == {"B": 2}
    assert store.positions([P0, P1])[P0].offset == 0
    assert store.positions([P1]) == {P1: (1, "state 1")}


def test_flushed_redis_is_noticed_by_the_next_write_and_by_the_next_refresh(store, server):
    store.finish_rebuild([])
    assert store.refresh([P0, P1], 0) == (True, 0)
    server.client.flushall()
    assert store.apply([batch(A=(T, 1))]) == [MOVED]
    assert store.refresh([P0, P1], 0) == (False, 2)
    assert rows(server) == {}


def test_first_of_two_consumers_gives_a_partition_its_position(store):
    assert not store.begin(P0, 7)
    assert store.positions([P0])[P0].offset == 0


def test_rebuild_has_one_owner_who_notices_that_redis_was_emptied(store, server):
    assert store.claim_rebuild("a") is Claim.NEW
    assert store.claim_rebuild("a") is Claim.KEPT
    assert store.claim_rebuild("b") is Claim.ANOTHER
    server.client.flushall()
    assert store.claim_rebuild("a") is Claim.NEW
    assert 0 < server.client.ttl("crypto:rebuilder") <= 30


def test_tracked_symbols_end_by_themselves(store, server):
    now_ms = int(server.client.time()[0]) * 1000
    store.apply([batch(tracked={"ENDEDUSDT": now_ms - 1, "ETHUSDT": now_ms + 60_000})])
    store.apply([batch(at=1, to=2, tracked={"ETHUSDT": now_ms + 30_000})])
    assert server.client.zscore("crypto:tracked", "ETHUSDT") == now_ms + 60_000
    store.forget(0)
    assert server.client.zrange("crypto:tracked", 0, -1) == [b"ETHUSDT"]


def test_full_redis_refuses_the_whole_batch_and_takes_it_once_there_is_room(store, server):
    server.client.config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemory):
            store.apply([batch(A=(T, 1))])
        assert rows(server) == {}
    finally:
        server.client.config_set("maxmemory", "64mb")
    assert store.positions([P0])[P0].offset == 0
    assert store.apply([batch(A=(T, 1))]) == [1]


def test_scripts_are_sent_again_after_a_restart(store, server):
    store.apply([batch(A=(T, 1))])
    server.client.script_flush()
    assert store.apply([batch(at=1, to=2, A=(T + 1, 2)), batch(P1, B=(T, 1))]) == [1, 1]


def test_every_key_is_cleared(store, server):
    server.client.set("of another program", 1)
    store.apply([batch(A=(T, 1), B=(T, None), tracked={"A": 2**42}, truncated_us=1)])
    store.begin(TopicPartition("crypto.public.order_book", 0), 3, "order_book")
    store.finish_rebuild([])
    store.claim_rebuild("a")
    store.refresh([P0], 0)
    store.clear()
    assert server.client.keys() == [b"of another program"]


CHANGES = st.lists(st.tuples(st.sampled_from("ABC"), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(changes=CHANGES, seed=st.integers(0, 2**32), copies=st.integers(1, 4))
def test_any_order_and_number_of_deliveries_ends_with_the_newest_state(store, server, changes, seed, copies):
    """Change number n has version T + n. Each is delivered up to four times, in any order, in
    batches of any size, through two partitions; a row never goes back on the way."""
    store.clear()
    for partition in (P0, P1):
        store.begin(partition, 0)
    random, offsets, newest = Random(seed), {P0: 0, P1: 0}, {}
    deliveries = list(enumerate(changes)) * copies
    random.shuffle(deliveries)
    while deliveries:
        taken = [deliveries.pop() for _ in range(min(len(deliveries), random.randint(1, 4)))]
        encoded: dict[str, tuple[int, object]] = {}
        for number, (symbol, value) in taken:
            encoded[symbol] = max(encoded.get(symbol, (0, None)), (T + number, value), key=lambda found: found[0])
            newest[symbol] = max(newest.get(symbol, -1), number)
        partition = random.choice((P0, P1))
        [written] = store.apply([batch(partition, offsets[partition], offsets[partition] + 1, **encoded)])
        assert written != MOVED
        offsets[partition] += 1
        expected = {symbol: changes[number][1] for symbol, number in newest.items() if changes[number][1] is not None}
        assert rows(server) == expected


def test_two_consumers_at_the_same_time_never_go_back(store, server):
    """Each writes every version, in another order, through a partition of its own."""
    environ = load("redis", environ=server.environ, dotenv="/dev/null")
    seen: list[int] = []

    def write(partition: TopicPartition, seed: int) -> None:
        own = RedisStore(redis_client.connect(environ, 3), Keys("crypto"))
        versions = list(range(1, 200))
        Random(seed).shuffle(versions)
        for offset, version in enumerate([*versions, 200]):
            own.apply([batch(partition, offset, offset + 1, A=(T + version, version))])
        own.close()

    writers = [Thread(target=write, args=(partition, seed)) for seed, partition in enumerate((P0, P1))]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen += rows(server).values()
    for writer in writers:
        writer.join()
    assert seen == sorted(seen)
    assert rows(server) == {"A": 200}


def test_names_of_the_rows_are_the_documented_ones():
    keys = Keys("crypto")
    assert [keys.rows(table) for table in CURRENT_TABLES] == [
        "crypto:latest_prices",
        "crypto:crypto_24h_stats",
        "crypto:order_book",
        "crypto:instruments",
        "crypto:data_source",
    ]
