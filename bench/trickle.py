"""What a change costs when changes come steadily and not in bulk: CPU of the consumer per change,
its longest stop for the garbage collector, delay from the record to the confirmed write. Records as
Debezium sends them: a few every ten milliseconds.

  .local/venv/bin/python -m bench.trickle [--rates 100,500,1000] [--seconds 20] [--profile FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from bench import envelopes, machine
from bench.consuming import PARTITIONS, ROOT, cpu_seconds, samples
from bench.results import publish, table
from local.ports import free_ports
from local.stack import Stack
from pipeline.times import now_ms

TOPIC = "bench.public.latest_prices"
BURST_SECONDS = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.trickle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", default="100,500,1000", help="changes per second (100,500,1000)")
    parser.add_argument("--seconds", type=float, default=20, help="for each rate (20)")
    parser.add_argument("--profile", type=Path, help="py-spy writes what the time goes into to this folder")
    options = parser.parse_args()
    services = ("kafka", "cassandra", "cassandra-schema")
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), services) as stack:
        found = watch(stack, list(map(int, options.rates.split(","))), options.seconds, options.profile)
    head = machine.head("python3 -m bench.trickle " + " ".join(sys.argv[1:]))
    rows = [tuple(f"{value:,.1f}" if isinstance(value, float) else value for value in one) for one in found]
    publish("trickle", f"# Changes that trickle\n\n{head}\n{table(TITLES, rows)}")


class Trickle(NamedTuple):
    """What one rate costs. Delays are upper bounds, as the consumer's histogram has them."""

    rate: int
    changes: int
    cpu_us: float
    polls_per_second: float
    median_ms: float
    p99_ms: float
    longest_pause_ms: float


TITLES = ("changes/s", "changes", "CPU µs per change", "polls/s", "median < ms", "p99 < ms", "longest pause ms")


def watch(stack: Stack, rates: list[int], seconds: float, profile: Path | None = None) -> list[Trickle]:
    """A consumer and its records at each rate, one rate after the other."""
    port = free_ports(1)[0]
    environ = {**stack.environ, "TOPIC_PREFIX": "bench", "METRICS_PORT": str(port), "LOG_LEVEL": "WARNING"}
    servers = environ["KAFKA_BOOTSTRAP_SERVERS"].split(",")
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=servers, compression_type="lz4", linger_ms=0)
    consumer = subprocess.Popen([sys.executable, "consumer_to_cassandra.py"], cwd=ROOT, env=environ)
    try:
        feed(producer, 200, 5)  # so that everything is warm
        found = []
        for rate in rates:
            before, cpu = samples(port), cpu_seconds(consumer.pid)
            profiler = start_profiler(profile, rate, consumer.pid, seconds) if profile else None
            feed(producer, rate, seconds)
            time.sleep(1)
            after, cpu = samples(port), cpu_seconds(consumer.pid) - cpu
            if profiler:
                profiler.wait(60)
            found.append(result(rate, before, after, cpu, seconds + 1))
        return found
    finally:
        consumer.terminate()
        consumer.wait(30)
        producer.close()


def feed(producer: KafkaProducer, rate: int, seconds: float) -> None:
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        due = int(passed * rate)
        if due > sent:
            for key, value in envelopes.prices(due - sent, now_ms()):
                producer.send(TOPIC, key=key, value=value)
            producer.flush()
            sent = due
        time.sleep(BURST_SECONDS)


def start_profiler(folder: Path, rate: int, pid: int, seconds: float) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    output = str(folder / f"{rate}.txt")
    options = ["--pid", str(pid), "--duration", str(int(seconds)), "--format", "raw", "--output", output]
    return subprocess.Popen(["py-spy", "record", "--gil", "--threads", *options], stdout=subprocess.DEVNULL)


def result(rate: int, before: dict[str, float], after: dict[str, float], cpu: float, seconds: float) -> Trickle:
    passed = {name: value - before.get(name, 0) for name, value in after.items()}
    changes = passed["consumer_records_total"]
    return Trickle(
        rate,
        int(changes),
        cpu / changes * 1e6,
        passed["consumer_poll_seconds_count"] / seconds,
        quantile_ms(passed, 0.5),
        quantile_ms(passed, 0.99),
        after.get("consumer_gc_longest_pause_seconds", float("nan")) * 1000,
    )


def quantile_ms(passed: dict[str, float], share: float) -> float:
    name = "consumer_end_to_end_seconds_bucket"
    buckets = sorted((float(key.removeprefix(name)), value) for key, value in passed.items() if key.startswith(name))
    return next(bound for bound, count in buckets if count >= share * buckets[-1][1]) * 1000


if __name__ == "__main__":
    main()
