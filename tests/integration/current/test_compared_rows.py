"""What reconcile.py reads of a real Redis and writes into it: every row, only of a Redis that keeps
its memory, and nothing over a newer state."""

import orjson
import pytest
from kafka import TopicPartition

from pipeline.current.poll import Batch
from pipeline.current.store import MOVED, RedisStore
from pipeline.errors import StoreUnavailable
from pipeline.reconciliation.filled_redis import FilledRedis, RedisIncomplete
from pipeline.reconciliation.redis_rows import RedisTable
from pipeline.reconciliation.redis_side import Positions
from pipeline.redis_keys import Keys
from pipeline.stream.record_source import Mark

P0, P1 = TopicPartition("crypto.public.latest_prices", 0), TopicPartition("crypto.public.latest_prices", 1)
TABLE = "latest_prices"
T = 1_795_000_000_000_000


def text(symbol: str, price: float) -> bytes:
    return orjson.dumps({"symbol": symbol, "price": price, "updated_at": 1})


def apply(store: RedisStore, at: int, version_us: int, **rows: float | None) -> None:
    """The consumer's write of the record with this offset; None for a delete."""
    encoded = {symbol: (version_us, b"" if price is None else text(symbol, price)) for symbol, price in rows.items()}
    batch = Batch(P0, TABLE, at, Mark(at + 1, "state"), len(rows), encoded)
    assert store.apply([batch]) != [MOVED]


def prices(server) -> dict[str, float]:
    rows = server.client.hgetall("crypto:" + TABLE)
    return {key.decode(): orjson.loads(row)["price"] for key, row in rows.items()}


@pytest.fixture
def compared(store: RedisStore, server) -> FilledRedis:
    """After the first question, to a Redis with some rows."""
    store.begin(P0, 0)
    apply(store, 0, T, A=1, B=1, C=1)
    store.finish_rebuild([])
    found = FilledRedis(server.client, Keys("crypto"))
    found.ask()
    return found


def test_every_row_is_read_page_by_page_and_by_key(compared, server):
    names = [f"S{number:05}" for number in range(5000)]
    server.client.hset("crypto:" + TABLE, mapping={name: text(name, 2.5) for name in names})
    table = RedisTable(compared, TABLE)
    (read,) = table.whole()
    pages = list(table.pages(read))
    assert max(map(len, pages)) < 3000
    found = {row[0].decode(): row for page in pages for row in page}
    assert found.keys() == {*names, "A", "B", "C"}
    keys = [(name.encode(),) for name in (*names, "nobody")]
    assert table.by_key(keys) == [*(found[name] for name in names), None]


def test_how_far_the_consumer_is_comes_from_redis(compared):
    assert Positions(compared, {TABLE}).reached([P0, P1]) == {P0: 1}


def test_a_redis_that_is_not_complete_answers_nothing(store, server):
    with pytest.raises(RedisIncomplete, match="is empty, or is being filled"):
        FilledRedis(server.client, Keys("crypto")).ask()


def test_a_redis_that_lost_its_memory_answers_nothing_also_when_it_is_filled_again(compared, store, server):
    table = RedisTable(compared, TABLE)
    server.client.flushall()
    with pytest.raises(RedisIncomplete):
        table.by_key([(b"A",)])
    store.begin(P0, 0)
    apply(store, 0, T, A=1, B=1, C=1)
    store.finish_rebuild([])
    with pytest.raises(RedisIncomplete, match="lost its memory"):
        next(table.pages("crypto:" + TABLE))


def test_a_rebuild_that_is_finished_twice_is_one(compared, store):
    store.finish_rebuild([])
    assert compared.ask() == []


def test_a_key_of_another_type_is_an_outage(compared, server):
    server.client.set("crypto:" + TABLE, "nonsense")
    with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
        RedisTable(compared, TABLE).by_key([(b"A",)])


def test_a_repair_writes_and_removes_what_is_not_newer(compared, store, server):
    server.client.hset("crypto:" + TABLE, mapping={"A": text("A", 99), "NOBODY": text("NOBODY", 1)})
    server.client.hdel("crypto:" + TABLE, "B")
    rows = {b"A": text("A", 1), b"B": text("B", 1), b"C": b"", b"NOBODY": b""}
    assert store.repair(compared.complete, TABLE, T + 5, rows) == 4
    assert prices(server) == {"A": 1, "B": 1}
    assert server.client.zcard("crypto:deleted") == 2


def test_a_repair_hides_no_newer_change_whichever_comes_first(compared, store, server):
    """A and B are changed and C is deleted after the time at which the repair read PostgreSQL."""
    apply(store, 1, T + 9, A=7)
    old = {b"A": text("A", 1), b"B": b"", b"C": text("C", 1)}
    assert store.repair(compared.complete, TABLE, T + 5, old) == 2
    assert prices(server) == {"A": 7, "C": 1}
    apply(store, 2, T + 9, B=7, C=None)
    assert prices(server) == {"A": 7, "B": 7}
    assert store.repair(compared.complete, TABLE, T + 5, old) == 0
    assert prices(server) == {"A": 7, "B": 7}


def test_a_repair_brings_back_nothing_that_a_later_truncate_removed(compared, store, server):
    batch = Batch(P0, TABLE, 1, Mark(2, "state"), 1, truncated_us=T + 9)
    store.apply([batch])
    assert store.repair(compared.complete, TABLE, T + 5, {b"A": text("A", 1)}) == 0
    assert prices(server) == {}


def test_a_repair_writes_nothing_into_a_redis_that_was_filled_again(compared, store, server):
    server.client.flushall()
    assert store.repair(compared.complete, TABLE, T + 5, {b"A": text("A", 1)}) == MOVED
    store.finish_rebuild([])
    assert store.repair(compared.complete, TABLE, T + 5, {b"A": text("A", 1)}) == MOVED
    assert prices(server) == {}
