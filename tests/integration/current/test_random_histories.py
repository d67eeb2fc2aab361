"""The loop with a real Redis and topics in memory, through random histories of everything that can
happen in between: changes, deletes, records sent again, Redis emptied or full, consumers that end,
begin, take partitions over and go on with old ones, records that Kafka has removed. Redis ends
equal to PostgreSQL, and no row goes back while it is complete. `HISTORIES=2000` tries more."""

import os
from random import Random

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.current import positions
from pipeline.current.loop import Loop
from pipeline.current.rebuild import Rebuild
from pipeline.current.store import RedisStore
from pipeline.errors import StoreUnavailable
from tests.support.fake_topics import PRICES, FakeSource, Topics
from tests.support.redis_server import RedisServer
from tests.unit.support.clocks import FakeClock, FakeStop

HISTORIES = int(os.environ.get("HISTORIES", "60"))
SYMBOLS = ("AUSDT", "BUSDT", "CUSDT", "DUSDT")
EVENTS = (
    ("change",) * 8 + ("step",) * 8 + ("delete", "delete", "again", "flush", "full", "die", "move", "trim", "overlap")
)


class World:
    def __init__(self, store: RedisStore, server: RedisServer, seed: int) -> None:
        self.random = Random(seed)
        self.store, self.server, self.topics, self.clock = store, server, Topics(), FakeClock()
        self.members: list[tuple[FakeSource, Loop]] = []
        self.price = 0
        self.join()

    def join(self) -> None:
        """A consumer more; all partitions are shared anew."""
        source = FakeSource(self.topics, ())
        loop = Loop(source, self.store, Rebuild(source, self.store, self.topics, self.clock), self.clock)
        self.members.append((source, loop))
        self.share()

    def share(self) -> None:
        for number, (source, _) in enumerate(self.members):
            source.assign(p for n, p in enumerate(sorted(self.topics.logs)) if n % len(self.members) == number)

    def step(self) -> None:
        self.clock.now += 1.1
        for _, loop in self.members:
            try:
                loop._step()
            except StoreUnavailable as error:
                loop._wait_for_redis(error, FakeStop())

    # --- events

    def change(self) -> None:
        self.price += 1
        self.topics.change(self.random.choice(SYMBOLS), self.price)

    def delete(self) -> None:
        self.topics.change(self.random.choice(SYMBOLS), None)

    def again(self) -> None:
        self.topics.send_again(self.random.randint(1, 5))

    def flush(self) -> None:
        self.server.client.flushall()

    def full(self) -> None:
        self.server.client.config_set("maxmemory", 1)
        self.step()
        self.server.client.config_set("maxmemory", "64mb")

    def die(self) -> None:
        """kill -9 of a consumer; the others take over, or a new one starts."""
        self.members.pop(self.random.randrange(len(self.members)))
        self.server.client.delete("crypto:rebuilder")  # REBUILDER_SECONDS have passed
        if not self.members:
            self.join()
        self.share()

    def move(self) -> None:
        if len(self.members) < 3:
            self.join()

    def trim(self) -> None:
        self.topics.trim(self.random.choice([p for p in self.topics.logs if p.topic == PRICES]))

    def overlap(self) -> None:
        """Two members own everything for a while: one has not noticed yet that it is out."""
        for source, _ in self.members:
            source.owned = set(self.topics.logs)
        self.step()
        self.share()

    # --- what must hold

    def in_redis(self) -> dict[str, int]:
        rows = self.server.client.hgetall("crypto:latest_prices")
        return {symbol.decode(): int(orjson.loads(row)["price"]) for symbol, row in rows.items()}

    def settle(self) -> None:
        """Until Redis is complete and everything is read."""
        for _ in range(60):
            self.step()
            positions_now = self.store.positions(sorted(self.topics.logs))
            read = {p: at.offset for p, at in positions_now.items()} == {
                p: len(log) for p, log in self.topics.logs.items()
            }
            if read and self.store.is_complete():
                return
        raise AssertionError((self.store.is_complete(), positions_now, self.store.awaiting_snapshot()))


@settings(
    max_examples=HISTORIES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(events=st.lists(st.sampled_from(EVENTS), min_size=5, max_size=60), seed=st.integers(0, 2**32))
def test_redis_ends_equal_to_postgresql_after_any_history(store, server, events, seed):
    server.client.flushall()
    few, positions.MAX_READ_AGAIN = positions.MAX_READ_AGAIN, 4
    try:
        world, seen = World(store, server, seed), {}
        for event in events:
            getattr(world, event)()
            if event == "flush":
                seen = {}
            found = world.in_redis()
            if store.is_complete():
                assert all(found[symbol] >= seen.get(symbol, 0) for symbol in found), (event, seen, found)
                seen = found
        world.settle()
        assert world.in_redis() == world.topics.rows
    finally:
        positions.MAX_READ_AGAIN = few


def test_small_topics_are_read_again_and_large_ones_come_as_a_snapshot(store, server):
    server.client.flushall()
    world = World(store, server, 1)
    for symbol in SYMBOLS:
        world.topics.change(symbol, 1)
    world.settle()
    assert (world.in_redis(), world.topics.snapshots_requested) == (world.topics.rows, 0)
    for partition in world.topics.logs:
        world.topics.trim(partition)
    world.flush()
    world.settle()
    assert (world.in_redis(), world.topics.snapshots_requested) == (world.topics.rows, 1)
