"""Where a stack runs: its directory, its ports, the programs it uses. The descriptions of all
services are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from string import Template

from local import nodes
from local.layout import CONFIG
from local.ports import free_ports
from local.postgres_programs import PostgresPrograms
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Ports:
    postgres: int
    kafka: int
    kafka_controller: int
    cassandra: int
    cassandra_storage: int
    connect: int
    simulator: int
    api: int
    redis: int
    producer_metrics: int
    consumer_metrics: int
    guard_metrics: int
    forecaster_metrics: int
    redis_metrics: int
    auditor_metrics: int

    @classmethod
    def free(cls) -> "Ports":
        return cls(*free_ports(len(fields(cls))))


@dataclass(frozen=True, slots=True)
class Site:
    """`environ` is the environment of every service. `node`: of a service that has several
    (local/nodes.py), the one that is described; `nodes`: of how many."""

    state_dir: Path
    jars_dir: Path
    java: str
    python: str
    postgres: PostgresPrograms
    ports: Ports
    settings: Settings
    environ: Mapping[str, str]
    node: int = 1
    nodes: int = 1

    @property
    def host(self) -> str:
        return nodes.host(self.node)

    def directory(self, service: str) -> Path:
        """Where the node keeps its files."""
        return self.state_dir / nodes.named(service, self.node)


def addresses(ports: Ports) -> dict[str, str]:
    """The environment variables with which our programs find the services on `ports`."""
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(ports.postgres),
        "DEBEZIUM_PGHOST": "127.0.0.1",
        "DEBEZIUM_PGPORT": str(ports.postgres),
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{ports.kafka}",
        "CONNECT_URL": f"http://127.0.0.1:{ports.connect}",
        "CASSANDRA_CONTACT_POINTS": "127.0.0.1",
        "CASSANDRA_PORT": str(ports.cassandra),
        "CASSANDRA_LOCAL_DC": "datacenter1",
        "SIMULATOR_PORT": str(ports.simulator),
        "API_PORT": str(ports.api),
    }


def render(name: str, target: Path, more: str = "", **values: object) -> Path:
    """Write local/config/`name` to `target` with its $placeholders filled, and `more` after it.
    Raises KeyError for an unknown placeholder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    text = Template((CONFIG / name).read_text(encoding="utf-8")).substitute({k: str(v) for k, v in values.items()})
    target.write_text(text + more, encoding="utf-8")
    return target
