"""Registers the connector and waits until it runs: `python3 -m debezium.register`. May be run any
number of times."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from debezium.connect import Connect, ConnectUnavailable, Status
from pipeline import program
from pipeline.errors import PipelineError
from pipeline.settings import Settings, load

CONNECTOR = "crypto-postgres"
CONFIG_FILE = Path(__file__).with_name("connector.json")


class NotRunning(PipelineError):
    """The connector is registered but was not running before the deadline."""


def connector_config(settings: Settings) -> dict[str, str]:
    """connector.json plus the addresses and names from the settings."""
    return json.loads(CONFIG_FILE.read_text(encoding="utf-8")) | {
        "database.hostname": settings.DEBEZIUM_PGHOST,
        "database.port": str(settings.DEBEZIUM_PGPORT),
        "database.dbname": settings.PGDATABASE,
        "topic.prefix": settings.TOPIC_PREFIX,
    }


def register(
    connect: Connect,
    config: dict[str, str],
    wait_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Put the configuration, then wait until the task runs. Connect may answer before the task
    exists, and the guard may be restarting a failed one, so only the deadline ends the wait. Raises
    NotRunning, ConnectUnavailable or ConnectRefused."""
    deadline = clock() + wait_seconds
    registered = False
    status = Status("ABSENT", ())
    while True:
        try:
            if not registered:
                created = connect.put_config(CONNECTOR, config)
                registered = True
                print(f"register: connector {CONNECTOR} {'created' if created else 'updated'}", flush=True)
            status = connect.status(CONNECTOR)
            if status.running:
                return
        except ConnectUnavailable:
            if clock() > deadline:
                raise
        if clock() > deadline:
            states = f"connector {status.connector}, tasks {', '.join(status.tasks) or 'none'}"
            raise NotRunning(f"{CONNECTOR} does not run after {wait_seconds:g} s ({states}). {status.trace}".strip())
        sleep(0.3)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m debezium.register", description=__doc__)
    parser.add_argument("--wait-seconds", type=float, default=120, help="for Connect and for the task to run (120)")
    options = parser.parse_args()
    settings = load("register")
    register(Connect(settings.CONNECT_URL), connector_config(settings), options.wait_seconds)
    print(f"register: connector {CONNECTOR} is running")
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("register", main))
