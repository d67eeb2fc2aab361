"""reconcile.py with Redis in the chain, while 250 changes per second go on: what was broken behind
the pipeline's back is found, all of it and nothing else, and --repair makes it equal."""

import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from local.ports import free_ports
from tests.support.chain.chain_world import GROUP, ChainWorld
from tests.support.chain.load import DELETES, PRICE, STATS_NUMBERS, Statement, SteadyChanges
from tests.support.current_rows import differences, in_postgres, in_redis
from tests.support.program import Program
from tests.support.reconcile.breakage import reported
from tests.support.reconcile.run import Run, reconcile
from tests.support.redis_server import RedisServer, running_redis
from tests.support.waiting import wait_until

ROWS = 300
TABLES = "latest_prices,crypto_24h_stats,order_book,instruments,data_source"
# Numbers of all sizes, nulls, and books of which a side is empty.
NUMBER = "CASE n % 4 WHEN 0 THEN n WHEN 1 THEN n / 1e8 WHEN 2 THEN 1.50 ELSE n * 1e9 + 0.123456789 END::numeric"
ALL = f"generate_series(1, {ROWS}) n, (SELECT 'USDT') q (quote)"
FILL = f"""
    INSERT INTO latest_prices SELECT 'R' || n || quote, {NUMBER} FROM {ALL};
    INSERT INTO crypto_24h_stats (symbol, {STATS_NUMBERS}, trade_count, open_time, close_time)
        SELECT 'R' || n || quote, {", ".join([NUMBER] * 11)}, n, now() - interval '1 day', now() FROM {ALL};
    INSERT INTO order_book SELECT 'R' || n || quote, n, jsonb_build_array(jsonb_build_array('0.00000120', '7.0')),
        CASE WHEN n % 3 > 0 THEN '[["1.30", "2"], ["1.40", "9"]]' ELSE '[]' END::jsonb FROM {ALL};
    INSERT INTO instruments (symbol, base_asset, quote_asset, tick_size, status)
        SELECT 'R' || n || quote, 'R' || n, quote, CASE WHEN n % 3 > 0 THEN 0.01 END, 'TRADING' FROM {ALL};
    INSERT INTO data_source (id, name, base_url) VALUES (1, 'a test', 'http://127.0.0.1:1') ON CONFLICT DO NOTHING;
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def to_redis(world: ChainWorld, server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with world.connect() as connection, connection.cursor() as cursor:
        cursor.execute(FILL)
    (port,) = free_ports(1)
    environ = {**world.stack.environ, **server.environ, "METRICS_PORT": str(port)}
    log = tmp_path_factory.mktemp("to_redis") / "to_redis.log"
    with Program(["consumer_to_redis.py"], environ, log, port) as program:
        complete(server)
        yield program


def complete(server: RedisServer) -> None:
    wait_until(lambda: server.client.exists("crypto:complete") == 1, 60, "Redis complete")


def compared(world: ChainWorld, server: RedisServer, *options: str) -> Run:
    return reconcile(world, "--tables", TABLES, *options, **server.environ)


def looked(run: Run) -> str:
    return f"{run.errors} {str(run.found)[:3000]}"


def of_redis(run: Run) -> list[dict]:
    return [each for each in run.found["tables"] if "(Redis)" in each["table"]]


class RareChanges(SteadyChanges):
    """Prices of the quiet rows: changed, deleted, inserted again."""

    def _transaction(self) -> list[Statement]:
        name = symbol(self._random.randint(1, ROWS))
        if self._random.random() < 0.1:
            return [(DELETES["latest_prices"], (name,))]
        return [(PRICE, (name, str(self._random.randrange(10**6))))]


class Broken:
    """Changes, removes and adds rows in Redis. `found`: what reconcile.py must report."""

    def __init__(self, server: RedisServer) -> None:
        self._redis = server.client
        self.found: dict[tuple[str, str], str] = {}

    def set(self, table: str, key: str, text: bytes, kind: str = "different") -> None:
        self._redis.hset(f"crypto:{table}", key, text)
        self.found[f"{table} (Redis)", key] = kind

    def change(self, table: str, key: str, **values: object) -> None:
        row = orjson.loads(self._redis.hget(f"crypto:{table}", key))
        assert row != row | values
        self.set(table, key, orjson.dumps(row | values))

    def remove(self, table: str, key: str) -> None:
        assert self._redis.hdel(f"crypto:{table}", key) == 1
        self.found[f"{table} (Redis)", key] = "missing"


def symbol(number: int) -> str:
    return f"R{number}USDT"


def break_rows(server: RedisServer) -> Broken:
    broken = Broken(server)
    for n in range(1, 41):
        broken.change("latest_prices", symbol(n), price=0.5)
        broken.change("crypto_24h_stats", symbol(n), volume=None if n % 3 else 0.7)
        broken.change("order_book", symbol(n), bid_quantity=7.5)
        broken.change("instruments", symbol(n), status="HALT")
    for n in range(41, 81):
        for table in ("latest_prices", "crypto_24h_stats", "order_book", "instruments"):
            broken.remove(table, symbol(n))
    for n in range(81, 101):
        row = server.client.hget("crypto:latest_prices", symbol(n))
        broken.set("latest_prices", f"NOBODY{n}", row, "extra")
        broken.set("instruments", symbol(n), b"not JSON" if n % 2 else b"[1,2")
        broken.set("latest_prices", symbol(n), server.client.hget("crypto:latest_prices", symbol(n + 100)))
    broken.change("data_source", "1", base_url="http://elsewhere")
    broken.set("data_source", "no number", b"{}", "extra")
    return broken


def break_in_postgres(world: ChainWorld, broken: Broken) -> None:
    """While the table is not in the publication; both stores are wrong then."""
    with world.connect() as connection, connection.cursor() as cursor:
        cursor.execute("ALTER PUBLICATION crypto_publication DROP TABLE instruments")
        connection.commit()
        cursor.execute("UPDATE instruments SET tick_size = 0.5 WHERE symbol = 'R201USDT'")
        cursor.execute("DELETE FROM instruments WHERE symbol = 'R202USDT'")
        cursor.execute("INSERT INTO instruments VALUES ('R203XUSDT', 'R', 'USDT', 1, 1, 'TRADING')")
        connection.commit()
        cursor.execute("ALTER PUBLICATION crypto_publication ADD TABLE instruments")
    for table in ("instruments", "instruments (Redis)"):
        broken.found |= {
            (table, "R201USDT"): "different",
            (table, "R202USDT"): "extra",
            (table, "R203XUSDT"): "missing",
        }


def capture(world: ChainWorld) -> None:
    """What was changed while the table was not in the publication comes through the stream now. A
    Redis that is filled again from Kafka's records would not have it."""
    with world.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE instruments SET updated_at = now() WHERE symbol IN ('R201USDT', 'R203XUSDT')")
        cursor.execute("INSERT INTO instruments VALUES ('R202USDT', 'R', 'USDT', 1, 1, 'TRADING')")
        connection.commit()
        cursor.execute("DELETE FROM instruments WHERE symbol = 'R202USDT'")


def test_equal_rows_are_equal_under_load(world: ChainWorld, server: RedisServer, to_redis: Program) -> None:
    with world.load("C950X", 1) as load:
        load.more(300)
        run = compared(world, server)
    assert run.exit_code == 0, looked(run)
    rows = dict.fromkeys(TABLES.split(","), 0)
    for each in of_redis(run):
        rows[each["table"].split()[0]] += each["rows"]
    assert min(rows[table] for table in rows if table != "data_source") >= ROWS, rows
    assert rows["data_source"] == 1


def test_every_broken_row_is_found_none_is_invented_and_repair_makes_them_equal(
    world: ChainWorld, server: RedisServer, to_redis: Program
) -> None:
    with world.load("C951X", 2) as load:
        load.more(200)
        broken = break_rows(server)
        break_in_postgres(world, broken)
        load.more(100)
        first = compared(world, server)
        assert first.exit_code == 1, looked(first)
        assert dict(reported(first.found["differences"])) == broken.found
        shown = {(each["table"], each["key"].get("symbol")): each for each in first.found["differences"]}
        changed = shown["latest_prices (Redis)", symbol(2)]
        assert (changed["values"], changed["sides"]) == ({"price": ["1.50", "0.5"]}, ["PostgreSQL", "Redis"])
        repaired = compared(world, server, "--repair")
        assert repaired.exit_code == 0, looked(repaired)
        assert repaired.found["repaired"] == len(broken.found)
        second = compared(world, server)
        assert (second.exit_code, second.found["differences"]) == (0, []), looked(second)
        capture(world)
    wait_until(lambda: equal(world, server), 60, "PostgreSQL's rows in Redis")


def test_a_repair_hides_no_later_change(world: ChainWorld, server: RedisServer, to_redis: Program) -> None:
    """All rows are removed or overwritten; each changes every ten seconds, so that some change
    while others are repaired. In the end the stream's last change is there."""
    with RareChanges(world.connect, 3, rate=30) as changes:
        for _ in range(2):
            for number in range(1, ROWS, 2):
                server.client.hdel("crypto:latest_prices", symbol(number))
                server.client.hset("crypto:latest_prices", symbol(number + 1), b"{}")
            run = compared(world, server, "--repair")
            assert run.exit_code == 0, looked(run)
            assert run.found["repaired"] > 0  # the others were changed by the stream before
        done = changes.done
    assert done > 100
    wait_until(lambda: equal(world, server), 30, "PostgreSQL's rows in Redis")


def test_the_auditor_exports_rows_and_differences_of_redis(
    world: ChainWorld, server: RedisServer, to_redis: Program, tmp_path: Path
) -> None:
    right = server.client.hget("crypto:instruments", symbol(9))
    server.client.hset("crypto:instruments", symbol(9), b"{}")
    (port,) = free_ports(1)
    environ = {**world.stack.environ, **server.environ, "CONSUMER_GROUP": GROUP, "METRICS_PORT": str(port)}
    with Program(["-m", "pipeline.reconciliation.auditor"], environ, tmp_path / "auditor.log", port) as auditor:
        wait_until(auditor.healthy, 60, "the auditor's health")
        wait_until(lambda: auditor.metric("auditor_last_round_timestamp_seconds") > 0, 90, "the first round")
        assert auditor.metric("auditor_rows_compared_total", table="order_book (Redis)") >= ROWS
        tables = [f"{table} (Redis)" for table in TABLES.split(",")]
        counts = {table: auditor.metric("auditor_differences", table=table) for table in tables}
        assert counts == dict.fromkeys(tables, 0) | {"instruments (Redis)": 1}, auditor.output()
        assert auditor.metric("auditor_differences", table="instruments (Redis)", kind="different") == 1
        assert auditor.metric("auditor_redis_compared") == 1
    server.client.hset("crypto:instruments", symbol(9), right)


def test_a_redis_that_loses_its_memory_meanwhile_invents_no_difference(
    world: ChainWorld, server: RedisServer, to_redis: Program
) -> None:
    with world.load("C953X", 4) as load:
        load.more(100)
        often, seldom = (flushed(world, server, every_seconds) for every_seconds in (2, 7))
    assert "Redis" in often.found["not_compared"], looked(often)
    assert often.found["differences"] == seldom.found["differences"] == [], looked(often) + looked(seldom)
    assert (often.exit_code, seldom.exit_code) == (1, 1 if seldom.found["not_compared"] else 0)
    complete(server)


def flushed(world: ChainWorld, server: RedisServer, every_seconds: float) -> Run:
    """A comparison during which Redis loses its memory and is filled again, more than once."""
    done = threading.Event()

    def flush() -> None:
        while not done.wait(every_seconds):
            server.client.flushall()

    thread = threading.Thread(target=flush)
    thread.start()
    try:
        return compared(world, server)
    finally:
        done.set()
        thread.join()


def test_a_redis_that_is_empty_or_not_there_is_said_in_one_line_and_cassandra_is_compared(
    world: ChainWorld, server: RedisServer, to_redis: Program
) -> None:
    to_redis.stop()
    server.client.flushall()
    run = compared(world, server)
    assert (run.exit_code, run.found["equal"], run.found["differences"]) == (1, False, [])
    assert "is empty, or is being filled" in run.found["not_compared"]["Redis"]
    assert of_redis(run) == []
    assert {each["table"] for each in run.found["tables"]} >= {"latest_prices", "instruments"}
    server.kill()
    run = compared(world, server)
    assert (run.exit_code, list(run.found["not_compared"])) == (1, ["Redis"])


def equal(world: ChainWorld, server: RedisServer) -> object:
    """By a comparison that uses nothing of pipeline/."""
    with world.connect() as connection:
        return differences(in_redis(server.client), in_postgres(connection)) or True
