"""What `make demo` prints once every service is ready. Starts and stops nothing."""

import threading
import time

from local.checks import http
from local.console import Console
from local.stack import Stack
from local.waiting import NotReady
from pipeline.settings import Settings

# Enough for the first poll to pass through every stage on two busy cores; an unavailable live
# exchange must not delay READY any longer.
FIRST_ROWS_SECONDS = 20.0


def api_url(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.ports.api}"


def first_rows(stack: Stack, console: Console, stop: threading.Event) -> None:
    """Wait until the sample request returns a row, for FIRST_ROWS_SECONDS at most."""
    if "api" not in stack.services or "producer" not in stack.services:
        return
    started = time.monotonic()
    while not stop.is_set() and time.monotonic() - started < FIRST_ROWS_SECONDS:
        try:
            if len(http.get(f"{api_url(stack)}/klines?limit=1")) > len(b"[]\n"):
                console.report("first rows", f"ready ({time.monotonic() - started:.1f} s)")
                return
        except NotReady:
            pass
        stop.wait(0.25)
    if not stop.is_set():
        console.report(
            "first rows", f"not there yet; see {stack.log_path('producer')} and {stack.log_path('consumer')}"
        )


def greeting(stack: Stack, settings: Settings, seconds: float) -> list[str]:
    """READY, the address of each service, and one request to try."""
    ports = stack.ports
    places = (
        ("api", "the market", f"{api_url(stack)}/market"),
        ("api", "API", api_url(stack)),
        ("connect", "Kafka Connect", f"http://127.0.0.1:{ports.connect}"),
        ("simulator", "simulator", f"http://127.0.0.1:{ports.simulator}"),
        ("postgres", "PostgreSQL", f"127.0.0.1:{ports.postgres} (database {settings.PGDATABASE})"),
        ("kafka", "Kafka", f"127.0.0.1:{ports.kafka}"),
        ("redis", "Redis", f"127.0.0.1:{ports.redis}"),
        ("cassandra", "Cassandra", f"127.0.0.1:{ports.cassandra} (keyspace {settings.CASSANDRA_KEYSPACE})"),
    )
    lines = ["", f"READY ({seconds:.0f} s)"]
    lines += [f"  {label:14} {place}" for service, label, place in places if service in stack.services]
    lines.append(f"  {'logs':14} {stack.log_path('*')}")
    if "api" in stack.services:
        symbol, interval = settings.SYMBOLS[0], settings.KLINE_INTERVALS[0]
        lines += ["try it:", f"  curl '{api_url(stack)}/klines?symbol={symbol}&interval={interval}&limit=3'"]
    return [*lines, "Ctrl-C stops everything.", ""]
