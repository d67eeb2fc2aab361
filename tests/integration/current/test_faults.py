"""consumer_to_redis.py as a program, under a steady load of changes, with everything that can
happen to Redis, to Kafka and to itself. Each test ends with Redis equal to PostgreSQL and to
Cassandra, key by key."""

import itertools
import signal
import time
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from cassandra.cluster import Session
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from local.stack import Stack
from pipeline.settings import Settings
from tests.support import current_rows
from tests.support.chain.load import Load
from tests.support.current_rows import TABLES, as_doubles, differences, in_cassandra, in_postgres, in_redis
from tests.support.program import Program
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

RATE = 100
PREFIX = "RED"
pytestmark = pytest.mark.usefixtures("consumer")


class Changes:
    """Upserts, deletes and rows inserted again. They flow from the first call of `more` until
    `stop`."""

    def __init__(self, connect: Callable[[], psycopg2.extensions.connection]) -> None:
        self._connect = connect
        self._running: Load | None = None
        self._seeds = itertools.count(16)

    def more(self, changes: int) -> None:
        """Waits until this many more are committed."""
        if self._running is None:
            self._running = Load(self._connect, PREFIX, next(self._seeds), RATE)
            self._running.__enter__()
        self._running.more(changes)

    def stop(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.stop()


@pytest.fixture(scope="module")
def connect(settings: Settings) -> Callable[[], psycopg2.extensions.connection]:
    def superuser() -> psycopg2.extensions.connection:
        return psycopg2.connect(
            host=settings.PGHOST,
            port=settings.PGPORT,
            dbname=settings.PGDATABASE,
            user="postgres",
            password=settings.POSTGRES_PASSWORD,
            options="-c timezone=UTC",
        )

    with superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT create_trade_day(current_date), create_trade_day(current_date + 1)")
    return superuser


@pytest.fixture
def load(connect: Callable[[], psycopg2.extensions.connection]) -> Iterator[Changes]:
    changes = Changes(connect)
    yield changes
    changes.stop()


@pytest.fixture
def equal(
    postgres, reader: Session, server: RedisServer, load: Changes, to_redis: Callable[[], Program]
) -> Callable[[], None]:
    """Stops the changes and waits until Redis is complete and equal to both."""

    def compared() -> object:
        if not server.client.exists("crypto:complete"):
            return "not complete"
        current, stored = in_redis(server.client), in_postgres(postgres)
        both = TABLES[:2]
        doubles = {key: row for key, row in as_doubles(stored, both).items() if key[1].startswith(PREFIX)}
        return differences(current, stored) + differences(in_cassandra(reader, PREFIX), doubles) or True

    def check() -> None:
        load.stop()
        assert len(in_postgres(postgres, PREFIX)) > 50
        wait_until(compared, 60, f"Redis equal to PostgreSQL and Cassandra; {to_redis().log}")

    return check


def test_redis_follows_a_steady_load_and_is_behind_for_less_than_a_second(load, to_redis, server, equal):
    load.more(500)
    wait_until(lambda: server.client.exists("crypto:complete") == 1, 60, "Redis complete")
    for _ in range(5):
        load.more(50)
        now_s, now_us = server.client.time()
        reached_ms = min(map(int, server.client.hvals("crypto:applied")))
        assert now_s * 1000 + now_us // 1000 - reached_ms < 3000
    equal()
    assert to_redis().metric("redis_consumer_rejected_total") == 0


def test_killed_redis_is_filled_again(load, to_redis, server, equal):
    load.more(100)
    server.kill()
    load.more(200)
    wait_until(lambda: "redis_unavailable" in to_redis().output(), 20, "the outage in the log")
    server.start()
    load.more(100)
    equal()
    assert to_redis().metric("redis_consumer_rebuilds_total") >= 1


def test_flushed_redis_is_filled_again_and_not_called_complete_before(load, to_redis, server, equal):
    load.more(100)
    server.client.flushall()
    assert not server.client.exists("crypto:complete")
    load.more(100)
    equal()


def test_hanging_redis_is_waited_for(load, to_redis, server, equal):
    load.more(100)
    server.hang()
    try:
        load.more(500)
    finally:
        server.go_on()
    equal()


def test_full_redis_is_waited_for_and_counted(load, to_redis, server, equal):
    before = to_redis().metric("redis_consumer_out_of_memory_total")
    server.client.config_set("maxmemory", 1)
    try:
        load.more(200)
        wait_until(lambda: to_redis().metric("redis_consumer_out_of_memory_total") > before, 30, "refused writes")
        assert to_redis().healthy() is not True
    finally:
        server.client.config_set("maxmemory", "64mb")
    equal()
    wait_until(to_redis().healthy, 20, "the consumer's health")


def test_killed_consumer_goes_on_where_redis_is(load, to_redis, server, equal):
    load.more(100)
    to_redis().kill()
    load.more(200)
    rows = server.client.hlen("crypto:latest_prices")
    to_redis()
    assert server.client.hlen("crypto:latest_prices") >= rows - 25  # nothing was thrown away
    equal()


def test_redis_with_an_older_copy_is_read_on_from_there(load, to_redis, server, equal):
    """As after a start from a backup: the positions are as old as the rows."""
    copies = {key: server.client.dump(key) for key in server.client.keys("crypto:*")}
    load.more(200)
    to_redis().stop()
    load.more(100)
    server.client.flushall()
    for key, copy in copies.items():
        server.client.restore(key, 0, copy)
    to_redis()
    equal()


def test_hung_consumer_costs_nothing_while_another_one_works(load, to_redis, server, start, equal):
    with start("consumer_to_redis.py", **server.environ) as second:
        wait_until(second.healthy, 60, "the second consumer's health")
        load.more(200)
        to_redis().process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(12)  # longer than the group waits for a member
            load.more(200)
        finally:
            to_redis().process.send_signal(signal.SIGCONT)
        load.more(200)
        equal()
        to_redis().kill()
        load.more(100)
        equal()


def test_every_record_sent_again_changes_nothing(load, to_redis, server, settings, equal, postgres):
    """The newest 2,000 records of prices, in the opposite order, as a broken producer might."""
    equal()
    topic = f"{settings.TOPIC_PREFIX}.public.latest_prices"
    servers = list(settings.KAFKA_BOOTSTRAP_SERVERS)
    reader = KafkaConsumer(bootstrap_servers=servers)
    partitions = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic)]
    reader.assign(partitions)
    ends = reader.end_offsets(partitions)
    for partition in partitions:
        reader.seek(partition, max(0, ends[partition] - 500))
    records = []
    while any(reader.position(partition) < end for partition, end in ends.items()):
        for found in reader.poll(timeout_ms=500).values():
            records += found
    reader.close()
    read = to_redis().metric("redis_consumer_records_total", table="latest_prices")
    again = KafkaProducer(bootstrap_servers=servers)
    for record in reversed(records):
        again.send(topic, key=record.key, value=record.value, partition=record.partition)
    again.flush()
    again.close()

    def all_read() -> object:
        found = to_redis().metric("redis_consumer_records_total", table="latest_prices")
        return found >= read + len(records) or (found, read)

    wait_until(all_read, 30, f"{len(records)} records read again")
    assert differences(in_redis(server.client, PREFIX), in_postgres(postgres, PREFIX)) == []


def test_rebuild_command_empties_redis_and_everything_is_back(load, to_redis, server, start, equal):
    load.more(50)
    rebuilding = start("consumer_to_redis.py", "--rebuild", **server.environ)
    assert rebuilding.process.wait(120) == 0, rebuilding.output()
    assert "complete: " in rebuilding.output()
    equal()


def test_rows_that_topics_hold_no_more_come_back_through_a_snapshot(load, to_redis, server, start, settings, equal):
    """Kafka has removed the records of every row; only PostgreSQL has them."""
    equal()
    admin = KafkaAdminClient(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS))
    consumer = KafkaConsumer(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS))
    topics = [f"{settings.TOPIC_PREFIX}.public.{table}" for table in TABLES]
    existing = consumer.topics()
    partitions = [TopicPartition(t, n) for t in topics if t in existing for n in consumer.partitions_for_topic(t)]
    ends = consumer.end_offsets(partitions)
    consumer.close()
    admin.delete_records(ends)
    admin.close()
    server.client.flushall()
    equal()
    assert "snapshot_requested" in to_redis().output()


def test_kafka_restarted_is_waited_for(load, to_redis, server, stack: Stack, equal):
    stack.kill("kafka", signal.SIGKILL)
    load.more(100)
    time.sleep(4)
    reached_ms = min(map(int, server.client.hvals("crypto:applied")))
    assert server.client.time()[0] * 1000 - reached_ms > 2000, "the watermark must stand still without Kafka"
    stack.start_service("kafka")
    stack.wait_ready("kafka")
    load.more(200)
    equal()


def test_table_that_is_truncated_and_filled_in_one_transaction_has_the_new_rows(load, connect, to_redis, equal):
    load.more(500)
    equal()
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM latest_prices; TRUNCATE latest_prices")
        cursor.execute("INSERT INTO latest_prices SELECT symbol, price + 1, now() FROM kept")
    equal()


def test_comparison_sees_a_difference_of_one_digit(postgres, server):
    stored = in_postgres(postgres, PREFIX)
    key = next(iter(stored))
    changed = {**stored, key: {**stored[key], "updated_at": stored[key]["updated_at"] + 1}}
    assert current_rows.differences(stored, changed)
