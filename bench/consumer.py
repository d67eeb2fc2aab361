"""Throughput of the consumer compared with simpler ways, in one run on one machine:

naive   per message one unprepared synchronous INSERT, auto-commit: the obvious way
ours    consumer_to_cassandra.py, one process, from the first record to the last committed offset
poll    kafka-python alone: what reading costs
limit   requests made beforehand, same driver, no Kafka and no parsing: what writing costs

  .local/venv/bin/python -m bench.consumer [--trades 300000] [--mixed 100000] [--naive 10000]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import requests
from cassandra.concurrent import execute_concurrent
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from prometheus_client.parser import text_string_to_metric_families

from bench import envelopes, machine
from bench.results import publish, table
from local.ports import free_ports
from local.stack import Stack
from pipeline import cassandra_session
from pipeline.consumer.batches import batches, newest
from pipeline.consumer.poll import Poll
from pipeline.consumer.round import MAX_REQUESTS_IN_FLIGHT
from pipeline.consumer.row_encoder import RowEncoder
from pipeline.consumer.statements import Statements
from pipeline.consumer.writer import request
from pipeline.settings import Settings, load
from pipeline.times import DAY_MS, iso_to_us, now_ms

ROOT = Path(__file__).resolve().parents[1]
PARTITIONS = 4


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.consumer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trades", type=int, default=300_000, help="trade events in the topic (300000)")
    parser.add_argument("--mixed", type=int, default=100_000, help="events of all five tables (100000)")
    parser.add_argument("--naive", type=int, default=10_000, help="events given to the naive consumer (10000)")
    options = parser.parse_args()
    services = ("kafka", "cassandra", "cassandra-schema")
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), services) as stack:
        rows = lines("trades", measure(stack, "bench_trades", fill_trades(options.trades), options.naive))
        rows += lines("mixed", measure(stack, "bench_mixed", fill_mixed(options.mixed), options.naive))
    head = machine.head("python3 -m bench.consumer " + " ".join(sys.argv[1:]))
    titles = ("workload", "what", "rows/s", "ours compared")
    publish("consumer", f"# The consumer\n\n{head}\n{table(titles, rows)}")


def lines(workload: str, rates: dict[str, float]) -> list[tuple[str, str, str, str]]:
    """One line per way; the last column compares the consumer with it: 1.0 is as fast, 45 is 45
    times as fast."""
    return [(workload, name, f"{rate:,.0f}", f"{rates['ours'] / rate:.2f}") for name, rate in rates.items()]


def fill_trades(count: int) -> dict[str, Iterator[tuple[bytes, bytes]]]:
    return {"recent_trades": envelopes.trades(count, now_ms() - DAY_MS)}


def fill_mixed(count: int) -> dict[str, Iterator[tuple[bytes, bytes]]]:
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
    stack: Stack, prefix: str, workload: dict[str, Iterable[tuple[bytes, bytes]]], naive: int
) -> dict[str, float]:
    environ = {**stack.environ, "TOPIC_PREFIX": prefix, "CONSUMER_GROUP": prefix}
    settings = load("consumer", environ=environ, dotenv="/dev/null")
    count = fill(settings, workload)
    topics = [f"{prefix}.public.{table}" for table in workload]
    return {
        "naive": naive_rate(settings, topics, min(naive, count)),
        "ours": our_rate(environ, count),
        "poll": poll_rate(settings, topics, count),
        "limit": limit_rate(settings, topics, count),
    }


def fill(settings: Settings, workload: dict[str, Iterable[tuple[bytes, bytes]]]) -> int:
    servers = list(settings.KAFKA_BOOTSTRAP_SERVERS)
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(f"{settings.TOPIC_PREFIX}.public.{table}", PARTITIONS, 1) for table in workload])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=servers, compression_type="lz4", linger_ms=20, batch_size=256 * 1024)
    count = 0
    for name, events in workload.items():
        for key, value in events:
            producer.send(f"{settings.TOPIC_PREFIX}.public.{name}", key=key, value=value)
            count += 1
    producer.flush(60)
    producer.close()
    return count


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


def our_rate(environ: dict[str, str], count: int) -> float:
    """Records per second between the first and the last sample of the consumer's own counter, read
    ten times per second; it counts a record when its offset is committed."""
    port = free_ports(1)[0]
    process = subprocess.Popen(
        [sys.executable, "consumer_to_cassandra.py"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env={**environ, "METRICS_PORT": str(port), "LOG_LEVEL": "WARNING"},
    )
    try:
        began, first = None, 0.0
        while True:
            time.sleep(0.1)
            done = records_done(port)
            if done and began is None:
                began, first = time.monotonic(), done
            if done >= count:
                return (done - first) / (time.monotonic() - began)
            assert process.poll() is None, "the consumer ended"
    finally:
        process.terminate()
        process.wait(30)


def records_done(port: int) -> float:
    try:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except requests.RequestException:
        return 0.0
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == "consumer_records_total")


def poll_rate(settings: Settings, topics: list[str], count: int) -> float:
    consumer = reader(
        settings,
        topics,
        f"{topics[0]}-poll",
        enable_auto_commit=False,
        max_poll_records=5000,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    began, done = None, 0
    while done < count:
        found = sum(len(records) for records in consumer.poll(timeout_ms=1000).values())
        if found and began is None:
            began = time.monotonic()
        done += found
    rate = done / (time.monotonic() - began)
    consumer.close()
    return rate


def limit_rate(settings: Settings, topics: list[str], count: int) -> float:
    """The same requests that the consumer sends, made beforehand, then sent."""
    session = cassandra_session.connect(settings)
    encoder = RowEncoder(Statements(session, settings.CASSANDRA_KEYSPACE))
    consumer = reader(
        settings,
        topics,
        f"{topics[0]}-limit",
        enable_auto_commit=False,
        max_poll_records=5000,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    requests_made, done = [], 0
    while done < min(count, 100_000):
        poll = Poll.parse(consumer.poll(timeout_ms=1000), lambda record: record.topic.rsplit(".", 1)[1])
        done += len(poll.records)
        requests_made += [(request(batch).statement(), None) for batch in batches(newest(encoder.rows(poll)))]
    consumer.close()
    began = time.monotonic()
    execute_concurrent(session, requests_made, MAX_REQUESTS_IN_FLIGHT)
    rate = done / (time.monotonic() - began)
    session.cluster.shutdown()
    return rate


if __name__ == "__main__":
    main()
