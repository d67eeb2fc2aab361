"""The API compared with a bare Flask route that sends the same bytes under the same server, in one
run; every route at 50 requests per second over a full day of rows; 200 clients at once for a
minute.

    .local/venv/bin/python -m bench.api [--seconds 8] [--minutes 1] [--trades-per-second 1]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from bench import machine
from bench.api_rows import fill
from bench.results import publish, spread, table
from local.ports import free_ports
from local.stack import Stack
from pipeline import cassandra_session
from pipeline.settings import load
from pipeline.times import DAY_MS, now_ms

ROOT = Path(__file__).resolve().parents[1]
SIDE_BY_SIDE = {
    "/klines?symbol=BTCUSDT&limit=500": 50,
    "/latest_prices": 80,
    "/crypto_24h_stats?sort=quote_volume&limit=10": 80,
    "/crypto_24h_stats": 80,
    "/market_summary": 80,
    "/symbols": 80,
}
CLIENTS = 8
ROUNDS = 3
STEADY_RATE = 50
MAX_P99_MS = 50
MANY_CLIENTS = 200


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.api", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8, help="duration of each measurement (8)")
    parser.add_argument("--minutes", type=float, default=1, help="duration of the 200 clients' requests (1)")
    parser.add_argument("--trades-per-second", type=float, default=1, help="trades of each tracked symbol (1)")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        Stack(Path(folder), ("cassandra", "cassandra-schema")) as stack,
    ):
        settings = load("consumer", environ=stack.environ, dotenv="/dev/null")
        session = cassandra_session.connect(settings, keyspace=settings.CASSANDRA_KEYSPACE)
        end_ms = now_ms()
        rows = fill(session, end_ms, options.trades_per_second)
        session.cluster.shutdown()
        with api(stack, Path(folder)) as (port, process):
            parts = [
                f"{rows:,} rows: one day of 6 tracked symbols, 406 symbols in the market\n",
                "## Requests per second compared with a bare Flask route\n",
                side_by_side(Path(folder), port, process, options.seconds),
                f"## Every route at {STEADY_RATE} requests/s\n",
                steady(port, end_ms, options.seconds),
                f"## {MANY_CLIENTS} clients at once\n",
                many_clients(port, process, options.minutes),
            ]
    head = machine.head("python3 -m bench.api " + " ".join(sys.argv[1:]))
    publish("api", "\n".join([f"# The API\n\n{head}", *parts]))


@contextmanager
def api(stack: Stack, folder: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """The API as users start it; its log goes to a file."""
    port = free_ports(1)[0]
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "cassandra_api.py"], cwd=ROOT, env={**stack.environ, "API_PORT": str(port)}, stderr=log
        )
        with serving(process, port, "/health"):
            yield port, process


@contextmanager
def bare(body: bytes, folder: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """A Flask route that sends `body` from memory."""
    port, path = free_ports(1)[0], folder / "body"
    path.write_bytes(body)
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port), str(path)], cwd=ROOT)
    with serving(process, port, "/"):
        yield port, process


@contextmanager
def serving(process: subprocess.Popen, port: int, path: str) -> Iterator[None]:
    """Wait until the server answers; stop it at the end."""
    try:
        while True:
            assert process.poll() is None, "the server has ended"
            try:
                if requests.get(f"http://127.0.0.1:{port}{path}", timeout=10).ok:
                    break
            except requests.RequestException:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


def load_of(port: int, paths: list[str], *options: object) -> dict:
    command = [sys.executable, "-m", "bench.load", str(port), *paths, *map(str, options)]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def side_by_side(folder: Path, port: int, process: subprocess.Popen, seconds: float) -> str:
    """The two in alternation and the best round of each, because other load on the machine affects
    both alike. The server's CPU time per request is comparable even under other load."""
    rows = []
    for path, min_percent in SIDE_BY_SIDE.items():
        plain = {"Accept-Encoding": "identity"}
        body = requests.get(f"http://127.0.0.1:{port}{path}", headers=plain, timeout=10).content
        options = ("--clients", CLIENTS, "--seconds", seconds / ROUNDS)
        with bare(body, folder) as (bare_port, bare_process):
            rounds = [
                (measured(bare_port, bare_process, "/", *options), measured(port, process, path, *options))
                for _ in range(ROUNDS)
            ]
        (flask, flask_ms), (api_rate, api_ms) = (max(found) for found in zip(*rounds))
        rows.append(
            (
                f"`{path}`",
                f"{len(body):,}",
                f"{flask:,.0f}",
                f"{api_rate:,.0f}",
                f"{api_rate / flask:.0%}",
                f"{flask_ms:.2f} / {api_ms:.2f}",
                f"≥ {min_percent} %",
                *every_url_new(folder, port, uncached(path), options),
            )
        )
    titles = ("route", "bytes", "bare Flask", "the API", "of bare", "CPU ms", "target", "every URL new", "of bare")
    return table(titles, rows)


def every_url_new(folder: Path, port: int, urls: list[str], options: tuple[object, ...]) -> tuple[str, str]:
    """Requests per second of URLs that all differ, and the share of those of a bare route with the
    same bytes; best rounds in alternation. Empty without such URLs."""
    if not urls:
        return "", ""
    body = requests.get(f"http://127.0.0.1:{port}{urls[0]}", timeout=10).content
    apart = ("--shift", len(urls) // CLIENTS)  # else all clients request the same URL at the same time
    with bare(body, folder) as (bare_port, _):
        rounds = [
            (load_of(bare_port, ["/"], *options)["rate"], load_of(port, urls, *options, *apart)["rate"])
            for _ in range(ROUNDS)
        ]
    flask, new = (max(found) for found in zip(*rounds))
    return f"{new:,.0f}", f"{new / flask:.0%}"


def measured(port: int, process: subprocess.Popen, path: str, *options: object) -> tuple[float, float]:
    """Requests per second, and ms of the server's CPU time per request."""
    before, found = cpu_seconds(process), load_of(port, [path], *options)
    return found["rate"], (cpu_seconds(process) - before) * 1000 / len(found["took"])


def uncached(path: str) -> list[str]:
    """URLs for the same rows that all differ, so that no response comes from the cache: by `to` in
    the future, or by limits that are never reached. Empty for routes without such a parameter."""
    if path.startswith("/klines"):
        return [f"{path}&to={now_ms() + DAY_MS + n}" for n in range(3000)]
    if path in ("/latest_prices", "/crypto_24h_stats"):
        return [f"{path}?limit={n}" for n in range(407, 3407)]
    return []


def routes(end_ms: int) -> dict[str, list[str]]:
    """The paths that dashboards request, by a name for the table; ranges move on, so that not every
    response comes from the cache."""
    day = [f"from={end_ms - DAY_MS + 5000 * n}&to={end_ms + 5000 * n}" for n in range(100)]
    return {
        "/latest_prices": ["/latest_prices"],
        "/latest_prices, one symbol": ["/latest_prices?symbol=ETHUSDT"],
        "/latest_prices, a day in 300 points": [f"/latest_prices?symbol=ETHUSDT&points=300&{each}" for each in day],
        "/crypto_24h_stats": ["/crypto_24h_stats"],
        "/crypto_24h_stats, ten most traded": ["/crypto_24h_stats?sort=quote_volume&limit=10"],
        "/crypto_24h_stats, a day in 300 points": [f"/crypto_24h_stats?symbol=ETHUSDT&points=300&{e}" for e in day],
        "/order_book": ["/order_book?limit=6"],
        "/order_book, a day in 300 points": [f"/order_book?symbol=ETHUSDT&points=300&levels=1&{each}" for each in day],
        "/depth": ["/depth?symbol=ETHUSDT"],
        "/recent_trades": ["/recent_trades?symbol=ETHUSDT"],
        "/recent_trades, a day in 300 points": [f"/recent_trades?symbol=ETHUSDT&points=300&{each}" for each in day],
        "/klines, 500": ["/klines?symbol=ETHUSDT&limit=500"],
        "/klines, a day of 15m": [f"/klines?symbol=ETHUSDT&interval=15m&limit=200&{each}" for each in day],
        "/klines, a day in 300 points": [f"/klines?symbol=ETHUSDT&points=300&{each}" for each in day],
        "/market_summary": ["/market_summary"],
        "/symbols": ["/symbols"],
        "/freshness": ["/freshness"],
        "/health": ["/health"],
        "/metrics": ["/metrics"],
        "/": ["/"],
        "/docs": ["/docs"],
        "/openapi.json": ["/openapi.json"],
    }


def steady(port: int, end_ms: int, seconds: float) -> str:
    """Each route by itself; the first request of each, which may have to read the whole day, is
    shown separately."""
    rows = []
    for name, paths in routes(end_ms).items():
        started = time.monotonic()
        requests.get(f"http://127.0.0.1:{port}{paths[0]}", timeout=30)
        first = time.monotonic() - started
        found = load_of(port, paths, "--clients", 5, "--seconds", seconds, "--rate", STEADY_RATE)
        median, _, p99, maximum = spread(found["took"])
        failed = sum(count for code, count in found["codes"].items() if code != "200")
        rows.append(
            (
                name,
                len(found["took"]),
                failed,
                f"{first * 1000:.0f}",
                f"{median * 1000:.1f}",
                f"{p99 * 1000:.1f}",
                f"{maximum * 1000:.0f}",
                f"< {MAX_P99_MS}",
            )
        )
    titles = ("route", "requests", "not 200", "first ms", "median ms", "p99 ms", "max ms", "p99 target")
    return table(titles, rows)


def many_clients(port: int, process: subprocess.Popen, minutes: float) -> str:
    """Clients that request every route in turn as fast as they get replies; memory after a warm-up
    of a fifth of the time, and at the end."""
    paths = [path for name, paths in routes(now_ms()).items() if "points" not in name for path in paths[:1]]
    load_of(port, paths, "--clients", MANY_CLIENTS, "--seconds", minutes * 12)
    before = resident_mib(process)
    found = load_of(port, paths, "--clients", MANY_CLIENTS, "--seconds", minutes * 60)
    after = resident_mib(process)
    median, p95, p99, maximum = spread(found["took"])
    codes = Counter(found["codes"])
    return table(
        ("measure", "value"),
        [
            ("requests/s", f"{found['rate']:,.0f}"),
            ("replies by status", ", ".join(f"{code}: {count:,}" for code, count in sorted(codes.items()))),
            ("median / p95 / p99 / max ms", " / ".join(f"{value * 1000:.0f}" for value in (median, p95, p99, maximum))),
            ("resident MiB after the warm-up", f"{before:.1f}"),
            ("resident MiB at the end", f"{after:.1f}"),
        ],
    )


def workers(process: subprocess.Popen) -> list[str]:
    """The pids of gunicorn's workers."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def cpu_seconds(process: subprocess.Popen) -> float:
    """User and system time of all workers."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split() for pid in workers(process)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def resident_mib(process: subprocess.Popen) -> float:
    """Resident memory of the largest worker."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in workers(process)]
    lines = (line for text in statuses for line in text.splitlines() if line.startswith("VmRSS"))
    return max(int(line.split()[1]) / 1024 for line in lines)


if __name__ == "__main__":
    main()
