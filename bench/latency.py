"""Latency from the commit in PostgreSQL to the confirmed write in Cassandra and to the row in a
reply of the API, at steady rates of changes, with everything on this machine.

    .local/venv/bin/python -m bench.latency [--rates 10,100,500] [--seconds 30]
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from bench import machine
from bench.database import connect
from bench.results import publish, spread, table
from local.stack import CHAIN, Stack
from pipeline.consumer import metrics
from pipeline.consumer.connected_loop import connected_loop
from pipeline.settings import Settings, load
from pipeline.stopping import Stop
from pipeline.stream.kafka_source import KafkaSource
from pipeline.times import DAY_MS, now_ms

SERVICES = (*CHAIN, "api")
PROBES = 40
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", default="10,100,500", help="changes per second (10,100,500)")
    parser.add_argument("--seconds", type=float, default=30, help="for each rate (30)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), SERVICES) as stack:
        settings = load("consumer", environ=stack.environ, dotenv="/dev/null")
        delays, stop = watch_delays(), Stop()
        worker = threading.Thread(target=consume, args=(settings, stop))
        worker.start()
        run(stack, 20, 15)  # so that everything is warm
        rows = []
        for rate in map(int, options.rates.split(",")):
            delays.clear()
            api = run(stack, rate, options.seconds)
            time.sleep(2)
            rows += [line(rate, "commit to confirmed write", delays), line(rate, "commit to the API's answer", api)]
        stop.set()
        worker.join()
    head = machine.head("python3 -m bench.latency " + " ".join(sys.argv[1:]))
    titles = ("changes/s", "what", "changes", "median ms", "p95 ms", "p99 ms", "max ms")
    publish("latency", f"# From commit to reader\n\n{head}\n{table(titles, rows)}")


def watch_delays() -> list[float]:
    """Every value that the consumer observes for its histogram, unrounded."""
    seen: list[float] = []
    observe = metrics.END_TO_END_SECONDS.observe

    def observe_and_keep(table: str, values: list[float]) -> None:
        seen.extend(values if table == "latest_prices" else ())
        observe(table, values)

    metrics.END_TO_END_SECONDS.observe = observe_and_keep
    return seen


def consume(settings: Settings, stop: Stop) -> None:
    with connected_loop(settings, lambda: KafkaSource(settings, settings.CONSUMER_GROUP), stop) as loop:
        if loop is not None:
            loop.run(stop)


def run(stack: Stack, rate: int, seconds: float) -> list[float]:
    """Changes at this rate; meanwhile probes, whose delays until the API's reply are returned."""
    changes = subprocess.Popen(
        [sys.executable, "-m", "bench.changes", str(rate), str(seconds)], cwd=ROOT, env=dict(stack.environ)
    )
    connection = connect(stack.environ)
    url, session, delays = f"http://127.0.0.1:{stack.ports.api}/latest_prices", requests.Session(), []
    future_ms = itertools.count(now_ms() + DAY_MS)
    for number in range(PROBES):
        symbol = f"P{rate}X{number}USDT"
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO latest_prices VALUES (%s, 1)", (symbol,))
        committed = time.monotonic()
        # Never the same request twice: the API caches replies for a moment.
        while not session.get(url, params={"symbol": symbol, "to": next(future_ms)}, timeout=10).json():
            time.sleep(0.002)
        delays.append(time.monotonic() - committed)
        time.sleep(seconds / PROBES / 2)
    connection.close()
    changes.wait()
    return delays


def line(rate: int, what: str, seconds: Sequence[float]) -> tuple[object, ...]:
    return rate, what, len(seconds), *(f"{value * 1000:.0f}" for value in spread(seconds))


if __name__ == "__main__":
    main()
