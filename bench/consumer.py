"""Throughput of the consumer compared with simpler ways, in one run on one machine, with servers
that are warm and compiled as in production:

naive   per message one unprepared synchronous INSERT, auto-commit: the obvious way
ours    consumer_to_cassandra.py, one process, from the first record to the last committed offset
poll    kafka-python alone: what reading costs
limit   requests made beforehand, same driver, no Kafka and no parsing: what writing costs
2, 3    so many processes of the consumer

  .local/venv/bin/python -m bench.consumer [--trades 300000] [--mixed 100000] [--naive 10000]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cassandra.concurrent import execute_concurrent
from kafka import KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord

from bench import envelopes, machine
from bench.consuming import HiddenTopic, Run, consume, consume_with, full_speed_servers
from bench.results import publish, table
from local.stack import Stack
from pipeline import cassandra_session
from pipeline.consumer.batches import batches, newest
from pipeline.consumer.poll import Poll
from pipeline.consumer.round import MAX_REQUESTS_IN_FLIGHT
from pipeline.consumer.row_encoder import RowEncoder
from pipeline.consumer.statements import Statements
from pipeline.consumer.writer import request
from pipeline.settings import Settings, load
from pipeline.stream.group_member import MAX_POLL_RECORDS
from pipeline.stream.record_source import Records
from pipeline.times import DAY_MS, iso_to_us, now_ms

SERVICES = ("kafka", "cassandra", "cassandra-schema")
PROCESSES = (2, 3)
# So many records are consumed before anything is measured. Measured: the first 300,000 cost
# Cassandra three times as much as later ones, while its compiler is at work.
WARM_UP = 300_000

# The (key, value) of the records of each table.
Events = dict[str, Iterator[tuple[bytes, bytes]]]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.consumer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trades", type=int, default=300_000, help="trade events in the topic; 0: not this workload")
    parser.add_argument("--mixed", type=int, default=100_000, help="events of all five tables; 0: not this workload")
    parser.add_argument("--naive", type=int, default=10_000, help="events given to the naive consumer (10000)")
    parser.add_argument("--processes", type=int, default=max(PROCESSES), help="largest number of consumers (3)")
    options = parser.parse_args()
    full_speed_servers()
    rates: list[tuple[object, ...]] = []
    costs: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), SERVICES) as stack:
        warm_up(stack)
        for name, fill, count in (("trades", fill_trades, options.trades), ("mixed", fill_mixed, options.mixed)):
            if count:
                found, runs = measure(stack, f"bench_{name}", fill, count, options.naive)
                runs |= several(stack, f"bench_{name}", fill, count, options.processes)
                rates += lines(name, found | {what: run.rate for what, run in runs.items()})
                costs += [(name, what, *(f"{us:.1f}" for us in run.cpu_us.values())) for what, run in runs.items()]
    head = machine.head("python3 -m bench.consumer " + " ".join(sys.argv[1:]))
    speed = table(("workload", "what", "rows/s", "ours compared"), rates)
    cost = table(("workload", "what", "consumer", "Kafka", "Cassandra"), costs)
    publish("consumer", f"# The consumer\n\n{head}\n{speed}\nCPU seconds per million records:\n\n{cost}")


def warm_up(stack: Stack) -> None:
    environ, settings = environment(stack, "bench_warm_up")
    consume(stack, environ, filled(settings, fill_trades(WARM_UP)).show().count)


def environment(stack: Stack, prefix: str) -> tuple[dict[str, str], Settings]:
    """For a consumer with topics and a group of its own."""
    environ = {**stack.environ, "TOPIC_PREFIX": prefix, "CONSUMER_GROUP": prefix}
    return environ, load("consumer", environ=environ, dotenv="/dev/null")


def filled(settings: Settings, events: Events) -> HiddenTopic:
    prefix = f"{settings.TOPIC_PREFIX}.public."
    return HiddenTopic(list(settings.KAFKA_BOOTSTRAP_SERVERS), {prefix + name: found for name, found in events.items()})


def lines(workload: str, rates: dict[str, float]) -> list[tuple[str, str, str, str]]:
    """One line per way; the last column compares the consumer with it: 1.0 is as fast, 45 is 45
    times as fast."""
    return [(workload, name, f"{rate:,.0f}", f"{rates['ours'] / rate:.2f}") for name, rate in rates.items()]


def fill_trades(count: int) -> Events:
    return {"recent_trades": envelopes.trades(count, now_ms() - DAY_MS)}


def fill_mixed(count: int) -> Events:
    """Events of all tables, in about the proportions of the running pipeline."""
    start_ms = now_ms() - DAY_MS
    return {
        "recent_trades": envelopes.trades(count * 40 // 100, start_ms),
        "latest_prices": envelopes.prices(count * 30 // 100, start_ms),
        "crypto_24h_stats": envelopes.statistics(count * 20 // 100, start_ms),
        "klines": envelopes.candles(count * 8 // 100, start_ms),
        "order_book": envelopes.books(count * 2 // 100, start_ms),
    }


def measure(
    stack: Stack, prefix: str, fill: Callable[[int], Events], count: int, naive: int
) -> tuple[dict[str, float], dict[str, Run]]:
    """The simpler ways in rows per second, and the run of one consumer."""
    environ, settings = environment(stack, prefix)
    topic = filled(settings, fill(count)).show()
    topics = [f"{prefix}.public.{name}" for name in fill(0)]
    ours = consume(stack, environ, topic.count)
    rates = {
        "naive": naive_rate(settings, topics, min(naive, topic.count)),
        "poll": poll_rate(settings, topics, topic.count),
        "limit": limit_rate(settings, topics, topic.count),
    }
    return rates, {"ours": ours}


def several(stack: Stack, prefix: str, fill: Callable[[int], Events], count: int, largest: int) -> dict[str, Run]:
    runs = {}
    for number in PROCESSES:
        if number <= largest:
            environ, settings = environment(stack, f"{prefix}_{number}")
            topic = filled(settings, fill(count))
            runs[f"ours, {number} processes"] = consume_with(number, stack, environ, topic.count, topic)
    return runs


def reader(settings: Settings, topics: list[str], group: str, **options: object) -> KafkaConsumer:
    return KafkaConsumer(
        *topics,
        bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS),
        group_id=group,
        auto_offset_reset="earliest",
        **options,
    )


def naive_rate(settings: Settings, topics: list[str], count: int) -> float:
    session = cassandra_session.connect(settings, keyspace=settings.CASSANDRA_KEYSPACE)
    session.encoder.mapping[tuple] = session.encoder.cql_encode_tuple  # levels of an order book; else they are lists
    consumer = reader(settings, topics, f"{topics[0]}-naive", value_deserializer=json.loads)
    known = session.cluster.metadata.keyspaces[settings.CASSANDRA_KEYSPACE].tables
    began, done = None, 0
    for record in consumer:
        began = began or time.monotonic()
        table = record.topic.rsplit(".", 1)[1]
        row = naive_row(table, record.value["after"])
        columns = [name for name in row if name in known[table].columns]
        marks = ", ".join(["%s"] * len(columns))
        session.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", [row[c] for c in columns])
        done += 1
        if done >= count:
            break
    rate = done / (time.monotonic() - began)
    consumer.close()
    session.cluster.shutdown()
    return rate


def naive_row(table: str, after: dict) -> dict:
    """Values converted to the types of the columns: the least work that a consumer can do."""
    row = {}
    for name, value in after.items():
        if name in ("bids", "asks"):
            row[name] = [(float(price), float(quantity)) for price, quantity in json.loads(value)]
        elif isinstance(value, str) and value.endswith("Z"):
            row[name] = iso_to_us(value) // 1000
        elif isinstance(value, str) and name not in ("symbol", "interval"):
            row[name] = float(value)
        else:
            row[name] = value
    if table in ("recent_trades", "order_book"):
        time_ms = row["trade_time" if table == "recent_trades" else "updated_at"]
        row["hour"] = time_ms - time_ms % 3_600_000
    return row


def polls(settings: Settings, topics: list[str], group: str) -> Iterator[Records]:
    """As the consumer takes them, without end."""
    consumer = reader(
        settings,
        topics,
        f"{topics[0]}-{group}",
        enable_auto_commit=False,
        max_poll_records=MAX_POLL_RECORDS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    try:
        while True:
            yield consumer.poll(timeout_ms=1000)
    finally:
        consumer.close()


def table_of(record: ConsumerRecord) -> str:
    return record.topic.rsplit(".", 1)[1]


def poll_rate(settings: Settings, topics: list[str], count: int) -> float:
    began, done = None, 0
    for taken in polls(settings, topics, "poll"):
        found = sum(map(len, taken.values()))
        if found and began is None:
            began = time.monotonic()
        done += found
        if done >= count:
            break
    return done / (time.monotonic() - began)


def limit_rate(settings: Settings, topics: list[str], count: int) -> float:
    """The same requests that the consumer sends, made beforehand, then sent."""
    session = cassandra_session.connect(settings)
    encoder = RowEncoder(Statements(session, settings.CASSANDRA_KEYSPACE))
    requests_made, done = [], 0
    for taken in polls(settings, topics, "limit"):
        poll = Poll.parse(taken, table_of)
        done += len(poll.records)
        requests_made += [(request(batch).statement(), None) for batch in batches(newest(encoder.rows(poll)))]
        if done >= min(count, 100_000):
            break
    began = time.monotonic()
    execute_concurrent(session, requests_made, MAX_REQUESTS_IN_FLIGHT)
    rate = done / (time.monotonic() - began)
    session.cluster.shutdown()
    return rate


if __name__ == "__main__":
    main()
