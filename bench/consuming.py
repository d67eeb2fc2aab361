"""Consumers that are measured: processes of consumer_to_cassandra.py that read a topic to its end,
what they use of the CPU, and a topic whose records appear all at once. Knows no table."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import requests
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from prometheus_client.parser import text_string_to_metric_families

from local.ports import free_ports
from local.stack import Stack

ROOT = Path(__file__).resolve().parents[1]
PARTITIONS = 4
# How much of the CPU a run used is read this often.
SAMPLE_SECONDS = 0.1
# Members that join a group one after the other have their partitions after this time.
JOIN_SECONDS = 12.0
SERVERS = ("kafka", "cassandra")


class Run(NamedTuple):
    """`rate`: records per second. `cpu_us`: CPU time per record in µs, of "consumer" (all its
    processes) and of each server."""

    rate: float
    cpu_us: dict[str, float]


def full_speed_servers() -> None:
    """The servers' Java compiles as it does in production; the stacks of the tests use the quick
    compiler only, which makes code that is three times as slow. Call before a stack is made."""
    flags = os.environ.get("LOCAL_JVM_FLAGS", "")
    os.environ["LOCAL_JVM_FLAGS"] = f"{flags} -XX:TieredStopAtLevel=4".strip()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def samples(port: int) -> dict[str, float]:
    """The process's metrics, summed over labels; a histogram's buckets by their bound. Empty while
    it starts."""
    try:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except requests.RequestException:
        return {}
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name + sample.labels.get("le", "")
            found[name] = found.get(name, 0) + sample.value
    return found


def records_done(port: int) -> float:
    """How many records the consumer has committed."""
    return samples(port).get("consumer_records_total", 0.0)


@contextmanager
def consumer(environ: Mapping[str, str], port: int) -> Iterable[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "consumer_to_cassandra.py"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env={**environ, "METRICS_PORT": str(port), "LOG_LEVEL": "WARNING"},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def consume(stack: Stack, environ: Mapping[str, str], count: int, topic: "HiddenTopic | None" = None) -> Run:
    """One process reads `count` records."""
    return consume_with(1, stack, environ, count, topic)


def consume_with(
    processes: int, stack: Stack, environ: Mapping[str, str], count: int, topic: "HiddenTopic | None" = None
) -> Run:
    """Records per second between the first and the last sample of the consumers' own counter, which
    counts a record when its offset is committed. `topic` is shown once all have joined."""
    ports = free_ports(processes)
    with ExitStack() as running:
        pids = {"consumer": [running.enter_context(consumer(environ, port)).pid for port in ports]}
        pids |= {name: [stack.pid(name)] for name in SERVERS}
        if topic is not None:
            time.sleep(JOIN_SECONDS)
            topic.show()
        began, first, cpu = None, 0.0, {}
        while True:
            time.sleep(SAMPLE_SECONDS)
            done = sum(map(records_done, ports))
            if done and began is None:
                began, first, cpu = time.monotonic(), done, used(pids)
            if done >= count:
                passed, records = time.monotonic() - began, done - first
                return Run(records / passed, {name: (s - cpu[name]) / records * 1e6 for name, s in used(pids).items()})


def used(pids: Mapping[str, list[int]]) -> dict[str, float]:
    return {name: sum(map(cpu_seconds, group)) for name, group in pids.items()}


class HiddenTopic:
    """Records that are in Kafka but in a transaction that is not committed: consumers that read
    what is committed get all of them at the moment of `show`."""

    def __init__(self, servers: list[str], topics: Mapping[str, Iterable[tuple[bytes, bytes]]]) -> None:
        """`topics`: the (key, value) of each topic's records."""
        admin = KafkaAdminClient(bootstrap_servers=servers)
        admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])
        admin.close()
        self._producer = KafkaProducer(
            bootstrap_servers=servers,
            compression_type="lz4",
            linger_ms=20,
            batch_size=256 * 1024,
            transactional_id=next(iter(topics)),
            transaction_timeout_ms=600_000,
        )
        self._producer.init_transactions()
        self._producer.begin_transaction()
        self.count = 0
        for topic, events in topics.items():
            for key, value in events:
                self._producer.send(topic, key=key, value=value)
                self.count += 1
        self._producer.flush(60)

    def show(self) -> "HiddenTopic":
        self._producer.commit_transaction()
        self._producer.close()
        return self
