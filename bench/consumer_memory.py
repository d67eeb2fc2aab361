"""Memory of the consumer under a steady load: resident size every ten seconds, the first third of
the run compared with the last.

.local/venv/bin/python -m bench.consumer_memory [--minutes 10] [--rate 3000]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from bench import envelopes, machine
from bench.consuming import PARTITIONS, ROOT, records_done
from bench.results import publish, table
from local.ports import free_ports
from local.stack import Stack
from pipeline.times import now_ms

SAMPLE_SECONDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.consumer_memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10, help="how long (10)")
    parser.add_argument("--rate", type=int, default=3000, help="trade events per second (3000)")
    options = parser.parse_args()
    services = ("kafka", "cassandra", "cassandra-schema")
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), services) as stack:
        sizes, done = watch(stack, options.minutes * 60, options.rate)
    warm = sizes[len(sizes) // 10 :]  # caches fill during the first tenth
    third = max(1, len(warm) // 3)
    first, last = sum(warm[:third]) / third, sum(warm[-third:]) / third
    rows = [
        ("records written", f"{done:,.0f}"),
        ("resident MiB, first third (mean)", f"{first:.1f}"),
        ("resident MiB, last third (mean)", f"{last:.1f}"),
        ("largest sample, MiB", f"{max(sizes):.1f}"),
        ("change, %", f"{(last / first - 1) * 100:+.1f}"),
    ]
    head = machine.head("python3 -m bench.consumer_memory " + " ".join(sys.argv[1:]))
    publish("consumer_memory", f"# Memory of the consumer\n\n{head}\n{table(('what', 'figure'), rows)}")


def watch(stack: Stack, seconds: float, rate: int) -> tuple[list[float], float]:
    """Feeds the topic at `rate`. Returns the resident sizes in MiB and the number of records
    written."""
    port = free_ports(1)[0]
    environ = {**stack.environ, "TOPIC_PREFIX": "bench", "METRICS_PORT": str(port), "LOG_LEVEL": "WARNING"}
    servers = environ["KAFKA_BOOTSTRAP_SERVERS"].split(",")
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic("bench.public.recent_trades", PARTITIONS, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=servers, compression_type="lz4", linger_ms=20)
    consumer = subprocess.Popen([sys.executable, "consumer_to_cassandra.py"], cwd=ROOT, env=environ)
    try:
        sizes, began, sampled = [], time.monotonic(), 0
        events = envelopes.trades(int(rate * seconds) + rate, now_ms())
        for number in count(1):
            key, value = next(events)
            producer.send("bench.public.recent_trades", key=key, value=value)
            if number % (rate // 10) == 0:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                passed = time.monotonic() - began
                if passed // SAMPLE_SECONDS > sampled:
                    sampled = int(passed // SAMPLE_SECONDS)
                    sizes.append(resident_mib(consumer.pid))
                if passed >= seconds:
                    return sizes, records_done(port)
    finally:
        consumer.terminate()
        consumer.wait(30)
        producer.close()


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


if __name__ == "__main__":
    main()
