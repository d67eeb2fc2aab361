"""Delay from the commit in PostgreSQL to the frame at Grafana's end of the WebSocket, at a steady
rate of changes of all kinds, and the CPU of the pusher. Everything runs on this machine; the end
that stands for Grafana parses and checks every line, in a process of its own.

    .local/venv/bin/python -m bench.live [--rate 100] [--seconds 30]
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection as PipeEnd
from pathlib import Path

import requests
from psycopg2.extras import Json

from bench import machine
from bench.consuming import cpu_seconds
from bench.database import connect
from bench.results import publish, spread, table
from local.ports import free_ports
from local.stack import Stack
from tests.support.live.grafana_server import GrafanaServer
from tests.support.live.received import Row
from tests.support.program import Program
from tests.support.waiting import wait_until

SERVICES = ("postgres", "postgres-schema", "kafka", "connect", "connector")
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT")
ROOT = Path(__file__).resolve().parents[1]
LEVELS = 20


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=100, help="changes per second (100)")
    parser.add_argument("--seconds", type=float, default=30, help="how long (30)")
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)  # the child that commits
    options = parser.parse_args()
    if options.write:
        commit_changes(options.rate, options.seconds)
        return
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), SERVICES) as stack:
        create_days(stack)
        frames, cpu, counts = run(stack, Path(folder), options.rate, options.seconds)
    rows = [line(kind, delays) for kind, delays in frames.items()]
    head = machine.head("python3 -m bench.live " + " ".join(sys.argv[1:]))
    titles = ("channel", "rows received", "median ms", "p95 ms", "p99 ms", "max ms")
    text = (
        f"# From commit to Grafana\n\n{head}\n{options.rate} changes/s of {len(SYMBOLS)} symbols for "
        f"{options.seconds:.0f} s: price, order book of {LEVELS} levels, trade and open candle in turn. The delay is "
        f"that of the value in the frame, from its commit in PostgreSQL to the message parsed at Grafana's end; "
        f"at most five frames per second and channel. What Grafana and the browser add is not in it.\n\n"
        f"{table(titles, rows)}\nCPU of the pusher: {cpu:.1%} of a core. Frames per second: {counts['frames']:.0f}, in "
        f"{counts['messages']:.0f} messages; resident memory {counts['mib']:.0f} MiB.\n"
    )
    publish("live", text)


def run(stack: Stack, folder: Path, rate: int, seconds: float) -> tuple[dict, float, dict[str, float]]:
    """The delays in seconds by kind of channel, the pusher's share of a core, and counts."""
    ours, theirs = Pipe()
    grafana = Process(target=serve, args=(theirs,), daemon=True)
    grafana.start()
    port = free_ports(1)[0]
    write(stack, rate, 2)  # a topic is created by its first change
    environ = {**stack.environ, "GRAFANA_URL": ours.recv(), "SYMBOLS": ",".join(SYMBOLS), "METRICS_PORT": str(port)}
    try:
        with Program(["consumer_to_grafana.py"], environ, folder / "live.log", port) as pusher:
            wait_until(lambda: is_ready(port), 60, "the pusher ready")
            write(stack, rate, 10)  # so that everything is warm
            ours.send("reset")
            cpu_before, began, frames_before = cpu_seconds(pusher.process.pid), time.monotonic(), sent(pusher)
            write(stack, rate, seconds)
            took = time.monotonic() - began
            cpu = (cpu_seconds(pusher.process.pid) - cpu_before) / took
            counts = {"frames": (sent(pusher) - frames_before) / took, "mib": resident_mib(pusher.process.pid)}
            time.sleep(1)
            ours.send("stop")
            rows, messages, complaints = ours.recv()
            counts["messages"] = messages / took
            assert complaints == [], complaints[:3]
            return by_kind(rows), cpu, counts
    finally:
        grafana.terminate()


def serve(end: PipeEnd) -> None:
    """Grafana's end, in a process of its own: rows with the time at which they were received."""
    with GrafanaServer() as server:
        rows: list[Row] = []
        server.received.on_row = rows.append
        end.send(server.url)
        end.recv()
        rows.clear()
        before = server.received.messages
        end.recv()
        end.send((list(rows), server.received.messages - before, server.received.complaints))
        end.recv()


def by_kind(rows: Sequence[Row]) -> dict[str, list[float]]:
    """Every row carries its commit time: in the time of the line, of a trade in its trade time."""
    delays: dict[str, list[float]] = {"all": []}
    for row in rows:
        delay = row.received_at - row.time_ms / 1000
        delays.setdefault(row.channel.split("_")[0], []).append(delay)
        delays["all"].append(delay)
    return delays


def line(kind: str, seconds: Sequence[float]) -> tuple[object, ...]:
    return kind, len(seconds), *(f"{value * 1000:.0f}" for value in spread(seconds))


def is_ready(port: int) -> object:
    return requests.get(f"http://127.0.0.1:{port}/health", timeout=2).json()["ready"]


def sent(pusher: Program) -> float:
    return pusher.metric("live_frames_sent_total")


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def create_days(stack: Stack) -> None:
    connection = connect(stack.environ, superuser=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT create_trade_day(current_date), create_trade_day(current_date + 1)")
    connection.close()


def write(stack: Stack, rate: int, seconds: float) -> None:
    """Commit changes in a process of its own, so that it does not slow down what is measured."""
    command = [sys.executable, "-m", "bench.live", "--write", "--rate", str(rate), "--seconds", str(seconds)]
    subprocess.run(command, cwd=ROOT, env=dict(stack.environ), check=True)


def commit_changes(rate: int, seconds: float) -> None:
    connection = connect(os.environ)
    cursor, began, first = connection.cursor(), time.monotonic(), time.time_ns() // 1000
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        symbol, price = random.choice(SYMBOLS), 1000 + number % 100
        levels = [[f"{price - level}", "1.5"] for level in range(LEVELS)]
        asks = [[f"{price + 1 + level}", "1.5"] for level in range(LEVELS)]
        values = {"symbol": symbol, "price": price, "number": first + number}
        cursor.execute(STATEMENTS[number % len(STATEMENTS)], {**values, "bids": Json(levels), "asks": Json(asks)})
    connection.close()


STATEMENTS = [
    "INSERT INTO latest_prices VALUES (%(symbol)s, %(price)s, clock_timestamp()) ON CONFLICT (symbol) DO UPDATE "
    "SET price = excluded.price + random()::numeric(4,2), updated_at = excluded.updated_at",
    "INSERT INTO order_book VALUES (%(symbol)s, %(number)s, %(bids)s, %(asks)s, clock_timestamp()) ON CONFLICT "
    "(symbol) DO UPDATE SET last_update_id = excluded.last_update_id, bids = excluded.bids, asks = excluded.asks, "
    "updated_at = excluded.updated_at",
    "INSERT INTO recent_trades VALUES (%(symbol)s, %(number)s, clock_timestamp(), %(price)s, 1, 1, false, 1, 1)",
    "INSERT INTO klines VALUES (%(symbol)s, '1m', date_trunc('minute', now()), %(price)s, %(price)s, %(price)s, "
    "%(price)s, 1, now(), 1, 1, 1, 1, false, clock_timestamp()) ON CONFLICT (symbol, interval, open_time) DO UPDATE "
    "SET close_price = excluded.close_price, volume = klines.volume + 1, updated_at = excluded.updated_at",
]


if __name__ == "__main__":
    main()
