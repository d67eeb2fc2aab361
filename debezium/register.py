"""Registers the connector and waits until it runs: `python3 -m debezium.register`. May be run any
number of times."""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

from debezium.connect import Connect, ConnectUnavailable, Status
from debezium.primary import with_primary
from debezium.slot import Slot, open_slot
from debezium.topics import KafkaUnavailable, Topics
from pipeline import program
from pipeline.connecting import until_connected
from pipeline.errors import PipelineError, PostgresUnavailable
from pipeline.settings import Settings, load
from pipeline.stopping import Stop

CONNECTOR = "crypto-postgres"
CONFIG_FILE = Path(__file__).with_name("connector.json")
SNAPSHOT_TABLES = "snapshot.include.collection.list"


class NotRunning(PipelineError):
    """The connector is registered but was not running before the deadline."""


def connector_config(settings: Settings) -> dict[str, str]:
    """connector.json plus the addresses and names from the settings."""
    return json.loads(CONFIG_FILE.read_text(encoding="utf-8")) | {
        "database.hostname": settings.DEBEZIUM_PGHOST,
        "database.port": str(settings.DEBEZIUM_PGPORT),
        "database.dbname": settings.PGDATABASE,
        "database.sslmode": settings.PGSSLMODE,
        **trusted_by_the_connector(settings.PGSSLROOTCERT),
        # Not sent otherwise: PostgreSQL before 17 has no such slots.
        **({"slot.failover": "true"} if settings.DEBEZIUM_SLOT_FAILOVER == "on" else {}),
        "topic.prefix": settings.TOPIC_PREFIX,
        "topic.creation.default.partitions": str(settings.KAFKA_PARTITIONS),
        "topic.creation.default.replication.factor": str(settings.KAFKA_REPLICATION_FACTOR),
    }


def trusted_by_the_connector(root_cert: str) -> dict[str, str]:
    """PGSSLROOTCERT in the words of PostgreSQL's driver for Java, which does not know `system`."""
    if root_cert == "system":
        return {"database.sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory"}
    return {"database.sslrootcert": root_cert} if root_cert else {}


def snapshot_list(tables: Iterable[str]) -> str:
    """The tables as Debezium's list of regular expressions. It ignores case unless told otherwise,
    and an empty list would mean every table."""
    return ",".join(rf"(?-i)public\.{table}" for table in tables) or "(?!)"


def max_record_bytes(config: Mapping[str, str]) -> int:
    return int(config["producer.override.max.request.size"])


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


def from_postgres(settings: Settings, config: dict[str, str], wait_seconds: float) -> dict[str, str]:
    """The configuration with the tables that the first snapshot reads, and of several hosts the
    primary. Raises PostgresUnavailable after `wait_seconds`."""

    def connect() -> Slot:
        return open_slot(settings, "register")

    slot = until_connected("postgres", connect, Stop(), retry_on=PostgresUnavailable, max_wait_seconds=wait_seconds)
    assert slot is not None, "only a requested stop ends the wait without a connection"
    with closing(slot):
        return with_primary(config, slot.host) | {SNAPSHOT_TABLES: snapshot_list(slot.snapshot_tables())}


def raise_topic_limits(settings: Settings, limit_bytes: int) -> None:
    """For topics of an earlier version. If Kafka does not answer, the guard does it later."""
    try:
        with Topics.of(settings) as topics:
            for topic in topics.raise_limits(limit_bytes):
                print(f"register: topic {topic} takes records of {limit_bytes} bytes", flush=True)
    except KafkaUnavailable as error:
        print(f"register: limits of the topics were not checked: {error}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m debezium.register", description=__doc__)
    parser.add_argument("--wait-seconds", type=float, default=120, help="for Connect and for the task to run (120)")
    options = parser.parse_args()
    settings = load("register")
    config = from_postgres(settings, connector_config(settings), options.wait_seconds)
    raise_topic_limits(settings, max_record_bytes(config))
    register(Connect(settings.CONNECT_URL), config, options.wait_seconds)
    print(f"register: connector {CONNECTOR} is running")
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("register", main))
