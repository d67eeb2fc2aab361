"""Redis beside Cassandra as the store of the current state, in one run: from the commit to the
API's answer, a whole market per request, the CPU time of the consumer. The API's own short caches
are off in both.

    .local/venv/bin/python -m bench.redis [--seconds 20] [--read-seconds 8]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
import requests
from kafka import KafkaConsumer, TopicPartition

from bench import machine
from bench.api import cpu_seconds, load_of, serving
from bench.database import connect
from bench.results import publish, spread, table
from local import redis_program
from local.ports import free_ports
from local.stack import CHAIN, Stack

SERVICES = (*CHAIN, "consumer", "redis")
ROOT = Path(__file__).resolve().parents[1]
MARKET = 400
LATENCY_RATES, CPU_RATE = (100, 500), 100
CLIENTS = (1, 8)
WHOLE_MARKET = {"prices": "/latest_prices?limit=5000", "statistics": "/crypto_24h_stats?limit=5000"}
PROBE = "PROBEUSDT"
KAFKA = "Kafka"
MAX_CPU_PERCENT = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.redis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20, help="of each rate of changes (20)")
    parser.add_argument("--read-seconds", type=float, default=8, help="of each measurement of reads (8)")
    options = parser.parse_args()
    if redis_program.find() is None:
        parser.error("redis-server 7 or newer is not installed (package redis-server)")
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        Stack(Path(folder), SERVICES) as stack,
        ExitStack() as programs,
    ):
        consumer = programs.enter_context(program(stack, Path(folder), ["consumer_to_redis.py"], "METRICS_PORT"))
        redis_off = {"REDIS_URL": "off"}
        command = ["-m", "bench.uncached_api"]
        apis = {
            "Redis": programs.enter_context(program(stack, Path(folder), command, "API_PORT")),
            "Cassandra": programs.enter_context(program(stack, Path(folder), command, "API_PORT", **redis_off)),
        }
        fill(stack)
        wait_for_redis(apis["Redis"][0])
        changes(stack, CPU_RATE, 5).wait()  # so that everything is warm
        parts = [
            "## From commit to the API's answer\n",
            latency(stack, apis, options.seconds),
            f"## A market of {MARKET} symbols per request\n",
            reads(apis, options.read_seconds),
            "## CPU time of the consumer to Redis\n",
            cpu(stack, consumer[1], options.seconds),
        ]
    head = machine.head("python3 -m bench.redis " + " ".join(sys.argv[1:]))
    publish("redis", "\n".join([f"# Redis beside Cassandra\n\n{head}", *parts]))


Running = tuple[int, subprocess.Popen]


@contextmanager
def program(stack: Stack, folder: Path, command: list[str], port_setting: str, **environ: str) -> Iterator[Running]:
    """One of our programs; its port and its process, once it is healthy."""
    port = free_ports(1)[0]
    with (folder / f"{port}.log").open("wb") as log:
        environment = {**stack.environ, port_setting: str(port), "LOG_LEVEL": "WARNING", **environ}
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stderr=log)
        with serving(process, port, "/health"):
            yield port, process


def fill(stack: Stack) -> None:
    """Prices and statistics of the market, and the row that is probed."""
    numbers = (
        "price_change, price_change_percent, weighted_avg_price, last_price, open_price, high_price, low_price,"
        " bid_price, ask_price, volume, quote_volume"
    )
    connection = connect(stack.environ)
    with connection.cursor() as cursor:
        for symbol in [PROBE, *(f"L{number:03}USDT" for number in range(MARKET))]:
            cursor.execute("INSERT INTO latest_prices VALUES (%s, 123.456)", (symbol,))
            cursor.execute(
                f"INSERT INTO crypto_24h_stats (symbol, {numbers}, trade_count, open_time, close_time)"
                f" VALUES (%s, {', '.join(['1234.56780000'] * 11)}, 0, now(), now())",
                (symbol,),
            )
    connection.close()


def wait_for_redis(port: int) -> None:
    deadline = time.monotonic() + 60
    while requests.get(f"http://127.0.0.1:{port}/latest_prices", timeout=10).headers["X-Answered-From"] != "redis":
        assert time.monotonic() < deadline, "the API does not answer from Redis"
        time.sleep(0.2)


def changes(stack: Stack, rate: int, seconds: float) -> subprocess.Popen:
    command = [sys.executable, "-m", "bench.changes", str(rate), str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, env=dict(stack.environ))


def latency(stack: Stack, apis: dict[str, Running], seconds: float) -> str:
    """Probes in turn, so that other load affects both stores alike and no request of one slows the
    other. Kafka's line is what both have in common: PostgreSQL, Debezium, Kafka."""
    rows = []
    reader = stats_reader(stack)
    session = requests.Session()
    has_arrived = {KAFKA: in_kafka(reader)} | {store: in_answer(session, port) for store, (port, _) in apis.items()}
    for rate in LATENCY_RATES:
        load_process, delays = changes(stack, rate, seconds), {place: [] for place in has_arrived}
        connection, number = connect(stack.environ), 0
        while load_process.poll() is None:
            for place, arrived in has_arrived.items():
                number += 1
                delays[place].append(probe(connection, arrived, rate * 10**6 + number))
                time.sleep(0.05)
        connection.close()
        rows += [line(rate, place, values) for place, values in delays.items()]
    reader.close()
    return table(("changes/s", "arrived in", "probes", "median ms", "p95 ms", "p99 ms", "max ms"), rows)


def stats_reader(stack: Stack) -> KafkaConsumer:
    reader = KafkaConsumer(bootstrap_servers=stack.environ["KAFKA_BOOTSTRAP_SERVERS"], fetch_max_wait_ms=50)
    topic = "crypto.public.crypto_24h_stats"
    reader.assign([TopicPartition(topic, number) for number in reader.partitions_for_topic(topic)])
    reader.seek_to_end()
    return reader


def in_kafka(reader: KafkaConsumer) -> Callable[[int], bool]:
    def arrived(value: int) -> bool:
        wanted = b'"trade_count":%d,' % value
        found = reader.poll(timeout_ms=2).values()
        return any(wanted in record.value for records in found for record in records)

    return arrived


def in_answer(session: requests.Session, port: int) -> Callable[[int], bool]:
    url = f"http://127.0.0.1:{port}/crypto_24h_stats?sort=trade_count&limit=1"

    def arrived(value: int) -> bool:
        if session.get(url, timeout=10).json()[0]["trade_count"] == value:
            return True
        time.sleep(0.002)
        return False

    return arrived


def probe(connection: psycopg2.extensions.connection, arrived: Callable[[int], bool], value: int) -> float:
    """Seconds from the commit of a row to its arrival."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crypto_24h_stats SET trade_count = %s, updated_at = clock_timestamp() WHERE symbol = %s",
            (value, PROBE),
        )
    committed = time.monotonic()
    while not arrived(value):
        assert time.monotonic() < committed + 30, "the row does not arrive"
    return time.monotonic() - committed


def line(rate: int, place: str, seconds: Sequence[float]) -> tuple[object, ...]:
    return rate, place, len(seconds), *(f"{value * 1000:.0f}" for value in spread(seconds))


def reads(apis: dict[str, Running], seconds: float) -> str:
    rows = []
    for what, path in WHOLE_MARKET.items():
        for clients in CLIENTS:
            for store, (port, process) in apis.items():
                before = cpu_seconds(process)
                found = load_of(port, [path], "--clients", clients, "--seconds", seconds)
                spent_ms = (cpu_seconds(process) - before) * 1000 / len(found["took"])
                assert set(found["codes"]) == {"200"}, found["codes"]
                median, _, p99, _ = (f"{value * 1000:.1f}" for value in spread(found["took"]))
                rows.append((what, clients, store, f"{found['rate']:,.0f}", median, p99, f"{spent_ms:.2f}"))
    return table(("rows", "clients", "answered from", "requests/s", "median ms", "p99 ms", "CPU ms of the API"), rows)


def cpu(stack: Stack, process: subprocess.Popen, seconds: float) -> str:
    before, began = own_cpu_seconds(process), time.monotonic()
    changes(stack, CPU_RATE, seconds).wait()
    percent = 100 * (own_cpu_seconds(process) - before) / (time.monotonic() - began)
    return table(("changes/s", "% of a core", "target"), [(CPU_RATE, f"{percent:.1f}", f"< {MAX_CPU_PERCENT}")])


def own_cpu_seconds(process: subprocess.Popen) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
