"""The faults that happen while changes are committed, one function each. campaign.py does what all
scenarios have in common: load, waiting, comparing."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.integration.poison import POISON
from tests.support.chain.chain_world import TABLES, ChainWorld
from tests.support.chain.load import Load
from tests.support.chain.odd_comparison import KEYS as ODD_KEYS
from tests.support.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Scenario:
    """`act` is called while the load runs and returns when the fault is over. `dead_letters`: how
    many dead letters it causes."""

    name: str
    act: Callable[[ChainWorld, Load, Random], None]
    dead_letters: int = 0


def killed(name: str) -> Scenario:
    def act(world: ChainWorld, load: Load, random: Random) -> None:
        load.more(random.randint(50, 600))
        world.kill(name)
        time.sleep(random.uniform(0, 2))  # the length of the outage is random, too
        world.start(name)
        load.more(300)

    return Scenario(f"kill -9 of {name}", act)


def cassandra_stopped(seconds: float) -> Scenario:
    """The consumer waits and stays in its group; no record becomes a dead letter."""

    def act(world: ChainWorld, load: Load, random: Random) -> None:
        load.more(100)
        before = world.members()
        with world.without("cassandra"):
            time.sleep(seconds)
        load.more(100)
        assert world.members() == before, "the consumer left its group"

    return Scenario(f"Cassandra stopped for {seconds:g} s", act)


def snapshot(kind: str, *tables: str) -> Scenario:
    """`incremental`: in chunks while streaming continues; not for tables with a time in their key
    (debezium/README.md). `blocking`: streaming waits."""

    def act(world: ChainWorld, load: Load, random: Random) -> None:
        load.more(500)
        # The load deletes some rows before they are read, and an incremental snapshot skips rows
        # that have changed since: half of the rows is a safe lower bound. The odd tables are
        # truncated meanwhile, or nearly all of their rows change.
        wanted = {table: snapshot_records(world, table) + least_rows(world, table) for table in tables}
        data = {"type": kind, "data-collections": [f"public.{table}" for table in tables]}
        signal_id = f"{kind}-{random.randrange(10**9)}"
        world.sql("INSERT INTO debezium_signal VALUES (%s, 'execute-snapshot', %s)", signal_id, json.dumps(data))

        def read_all() -> object:
            read = {table: snapshot_records(world, table) for table in wanted}
            return all(read[table] >= count for table, count in wanted.items()) or read

        wait_until(read_all, 90, f"records read by the snapshot: {wanted}")
        load.more(200)

    return Scenario(f"{kind} snapshot while rows are updated", act)


def least_rows(world: ChainWorld, table: str) -> int:
    return 0 if table in ODD_KEYS else world.sql(f"SELECT count(*) FROM {table}")[0][0] // 2


def snapshot_records(world: ChainWorld, table: str) -> int:
    return sum(json.loads(record.value)["op"] == "r" for record in world.records(world.topic(table)))


def backlog(world: ChainWorld, load: Load, random: Random) -> None:
    """Rows are deleted, half of them inserted again, while no consumer runs."""
    load.more(300)
    with world.without("consumer"):
        for number, symbol in enumerate(load.symbols):
            for table in ("latest_prices", "crypto_24h_stats", "klines"):
                world.sql(f"DELETE FROM {table} WHERE symbol = %s", symbol)
            if number % 2:
                price = random.randrange(1, 10**6)
                world.sql(
                    "INSERT INTO latest_prices VALUES (%s, %s, clock_timestamp()) ON CONFLICT (symbol) DO UPDATE "
                    "SET price = excluded.price, updated_at = excluded.updated_at",
                    symbol,
                    price,
                )
        load.more(500)
    load.more(100)


def truncated(world: ChainWorld, load: Load, random: Random) -> None:
    """Totals that have just been updated thousands of times are truncated, and come again; once
    with the consumer killed just after."""
    # The load updates the same totals, in another order: without the lock, one of the two would be
    # the victim of a deadlock now and then.
    alone = "LOCK TABLE odd_totals IN SHARE ROW EXCLUSIVE MODE; INSERT INTO odd_parts "
    for consumer_dies in (False, True, False):
        load.more(100)
        world.sql(f"{alone} SELECT 1 + n %% 3, n FROM generate_series(1, %s) n", random.randint(500, 3000))
        world.sql("TRUNCATE odd_totals")
        world.sql(f"{alone} SELECT 2 + n %% 4, n FROM generate_series(1, %s) n", 50)
        if consumer_dies:
            world.kill("consumer")
            load.more(50)
            world.start("consumer")
    load.more(200)


def poison(world: ChainWorld, load: Load, random: Random) -> None:
    load.more(100)
    for value in POISON.values():
        world.send("klines", value, partition=random.randrange(4))
        load.more(50)
    wait_until(lambda: {letter.value for letter in world.dead_letters()} == set(POISON.values()), 60, "dead letters")


def consumers_join_and_leave(world: ChainWorld, load: Load, random: Random) -> None:
    load.more(100)
    world.start_program("second")
    world.start_program("third")
    wait_until(lambda: len(world.members()) == 3 or world.members(), 60, "three members")
    load.more(300)
    world.kill("second")
    load.more(200)
    world.programs["third"].stop()
    load.more(200)
    world.start_program("second")
    wait_until(lambda: world.programs["second"].healthy(), 60, "the second's health")
    load.more(random.randint(100, 300))
    world.kill("consumer")
    load.more(300)
    world.start("consumer")
    world.programs["second"].stop()
    for name in ("second", "third"):
        del world.programs[name]


def columns(world: ChainWorld, load: Load, random: Random) -> None:
    """A column that Cassandra lacks, then has, then lacks again; another whose type changes and
    changes back."""
    consumer = world.programs["consumer"]
    touch = (
        "UPDATE klines SET venue = (random() * 1000)::int, updated_at = clock_timestamp() WHERE symbol = ANY(%s)",
        load.symbols,
    )
    load.more(100)
    world.sql("ALTER TABLE klines ADD COLUMN venue int")
    try:
        world.sql(*touch)
        unknown = {"table": "klines", "column": "venue"}
        wait_until(lambda: consumer.metric("consumer_unknown_columns_total", **unknown) > 0, 30, "an unknown column")
        world.cassandra_admin.execute("ALTER TABLE klines ADD venue int")
        load.more(100)
        world.sql(*touch)
        load.more(100)
        world.sql("ALTER TABLE klines ALTER COLUMN number_of_trades TYPE numeric, ALTER COLUMN venue TYPE text")
        load.more(200)
        world.sql(
            "ALTER TABLE klines ALTER COLUMN number_of_trades TYPE bigint, ALTER COLUMN venue TYPE int USING venue::int"
        )
        load.more(200)
        wait_until(lambda: same_venues(world, load), 60, "the candles' new column")
    finally:
        world.sql("ALTER TABLE klines DROP COLUMN venue")
    # The column is dropped in PostgreSQL first: rows that are written with a column while Cassandra
    # drops it cannot be read until they are flushed (a bug of Cassandra, Columns.encodeBitmap).
    load.more(100)
    wait_until(lambda: world.lag_records() < load.rate or world.lag_records(), 60, "the changes before it consumed")
    world.cassandra_admin.execute("ALTER TABLE klines DROP venue")
    load.more(200)


def same_venues(world: ChainWorld, load: Load) -> object:
    """For wait_until: the new column is the same in both. The load continues, but does not change
    this column."""
    stored: dict[tuple[str, str], int] = {}
    for symbol in load.symbols:
        query = "SELECT open_time, venue FROM klines WHERE symbol = %s AND interval = '1m'"
        rows = world.cassandra.execute(query, (symbol,))
        stored |= {(symbol, row["open_time"].isoformat()): row["venue"] for row in rows}
    expected = {
        (symbol, at.replace(tzinfo=None).isoformat()): venue
        for symbol, at, venue in world.sql(
            "SELECT symbol, open_time, venue FROM klines WHERE symbol = ANY(%s) AND venue IS NOT NULL", load.symbols
        )
    }
    differ = {key: (stored.get(key), venue) for key, venue in expected.items() if stored.get(key) != venue}
    return (bool(expected) and not differ) or differ


def consume_again(world: ChainWorld, load: Load, random: Random) -> None:
    """A consumer of another group writes everything again from the first record on, while the first
    consumer continues."""
    load.more(300)
    again = world.start_program("again", CONSUMER_GROUP=f"again-{random.randrange(10**9)}")
    wait_until(again.healthy, 60, "the second group's health")
    load.more(300)
    end = sum(len(world.records(world.topic(table))) for table in TABLES)
    wait_until(
        lambda: again.metric("consumer_records_total") >= end or again.metric("consumer_records_total"),
        120,
        "all records again",
    )
    again.stop(timeout_seconds=60)  # it finishes the thousands of records it has polled
    del world.programs["again"]


KILLED = tuple(map(killed, ("consumer", "connect", "kafka", "cassandra", "postgres")))
# To be run before the poison, which would produce its dead letters again.
AGAIN = Scenario("everything consumed again", consume_again)
OTHERS = (
    snapshot("incremental", "latest_prices", "crypto_24h_stats", "order_book", "odd_values", "odd_totals"),
    snapshot("blocking", *TABLES),
    Scenario("deletes and re-inserts during a backlog", backlog),
    Scenario("totals truncated after many updates", truncated),
    Scenario("a column added, re-typed, removed", columns),
    Scenario("three consumers join, leave, are killed", consumers_join_and_leave),
    Scenario("malformed records of six kinds", poison, dead_letters=len(POISON)),
)
