"""The compose file with docker-compose.cluster.yml over it: containers killed and started, and the
servers' own tools. Knows the command line; knows nothing of what must survive."""

import json
import subprocess
from contextlib import closing

import psycopg2
import requests
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from local.ports import free_ports
from tests.compose.compose import Compose, docker

FILES = "docker-compose.yml:docker-compose.cluster.yml"
MORE_PORTS = ("POSTGRES_2_PORT", "KAFKA_2_PORT", "KAFKA_3_PORT", "KAFKA_4_PORT")
BROKER_PORTS = ("KAFKA_PORT", "KAFKA_2_PORT", "KAFKA_3_PORT")
BROKERS = ("kafka", "kafka-2", "kafka-3")
CASSANDRAS = ("cassandra", "cassandra-2", "cassandra-3")
WORKERS = ("connect", "connect-2")
# What rows pass, without dashboards, Redis and what watches.
CHAIN = ("simulator", "producer", "consumer", "api", "proxy")
TOOL_HEAP = "KAFKA_HEAP_OPTS=-Xmx128m"


class Cluster(Compose):
    """One container of a service is named by its id."""

    def __init__(self) -> None:
        super().__init__(COMPOSE_FILE=FILES)
        self.ports |= dict(zip(MORE_PORTS, map(str, free_ports(len(MORE_PORTS)))))
        self.environ |= self.ports
        self.network = f"{self.project}_default"
        self._places: dict[str, tuple[str, list[str]]] = {}  # of the containers that are cut off

    def up(self) -> None:
        self("up", "--detach", "--wait", timeout_seconds=600)

    def containers(self, service: str) -> list[str]:
        """Those that run."""
        return self("ps", "--quiet", service).split()

    def healthy(self, *containers: str) -> object:
        """For wait_until."""
        states = docker("inspect", "--format", "{{.Name}} {{.State.Health.Status}}", *containers).splitlines()
        return all(state.endswith(" healthy") for state in states) or states

    def cut_off(self, container: str) -> None:
        """Nothing reaches it any more, and it reaches nothing."""
        found = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container))
        self._places[container] = found[self.network]["IPAddress"], found[self.network]["Aliases"]
        docker("network", "disconnect", self.network, container)

    def join_again(self, container: str) -> None:
        """With the names and the address that it had."""
        address, names = self._places.pop(container)
        aliases = [part for name in names for part in ("--alias", name)]
        docker("network", "connect", "--ip", address, *aliases, self.network, container)

    def logs_of(self, container: str) -> str:
        return subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True).stdout

    def primary(self) -> psycopg2.extensions.connection:
        """A superuser's connection to the node that accepts writes."""
        ports = f"{self.ports['PGPORT']},{self.ports['POSTGRES_2_PORT']}"
        return psycopg2.connect(
            host="127.0.0.1,127.0.0.1", port=ports, dbname="market", user="postgres", password="postgres",
            target_session_attrs="read-write", options="-c timezone=UTC", connect_timeout=5,
        )  # fmt: skip

    def check_equal(self, *options: str) -> None:
        """`reconcile.py` finds no difference in the last hour. `options`: of `docker compose
        run`."""
        profiles = ("--profile", "demo", "--profile", "tools")
        done = self.attempt(*profiles, "run", "--rm", *options, "reconcile", "--last", "1h")
        assert done.returncode == 0, done.stdout + done.stderr

    def psql(self, service: str, query: str) -> str:
        return self("exec", "-T", service, "psql", "-U", "postgres", "-d", "market", "-qAtc", query).strip()

    def cqlsh(self, service: str, statement: str) -> str:
        return self("exec", "-T", service, "cqlsh", "-u", "cassandra", "-p", "cassandra", "-e", statement)

    def kafka(self, service: str, tool: str, *arguments: str) -> str:
        command = (f"/opt/kafka/bin/{tool}", "--bootstrap-server", f"{service}:19092")
        return self("exec", "-T", "-e", TOOL_HEAP, service, *command, *arguments)

    def in_sync(self) -> object:
        """For wait_until: every broker has all that it keeps. Asked from here, because each start
        of Kafka's own tool takes a core for seconds."""
        addresses = [f"127.0.0.1:{self.ports[port]}" for port in BROKER_PORTS]
        try:
            with closing(KafkaAdminClient(bootstrap_servers=addresses)) as admin:
                topics = admin.describe_topics()
        except KafkaError as error:
            return error
        behind = {
            f"{topic['name']}-{partition['partition_index']}"
            for topic in topics
            for partition in topic["partitions"]
            if len(partition["isr_nodes"]) < len(partition["replica_nodes"])
        }
        return behind if behind else True

    def task_worker(self, service: str = "connect") -> tuple[str, str]:
        """The state of the connector's task, and the service that runs it, as one worker tells."""
        address = docker(
            "inspect",
            "--format",
            "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
            self.containers(service)[0],
        ).strip()
        reply = requests.get(f"http://{address}:8083/connectors/crypto-postgres/status", timeout=5)
        tasks = reply.json().get("tasks") if reply.status_code == 200 else None
        return (tasks[0]["state"], tasks[0]["worker_id"].split(":")[0]) if tasks else ("ABSENT", "")

    def memory_mib(self) -> dict[str, float]:
        """What each container uses now, by name without the project."""
        ids = self("ps", "--quiet").split()
        lines = docker("stats", "--no-stream", "--format", "{{json .}}", *ids).splitlines()
        used = {found["Name"].removeprefix(self.project + "-"): found["MemUsage"] for found in map(json.loads, lines)}
        return {name: mebibytes(text.split(" / ")[0]) for name, text in sorted(used.items())}


def mebibytes(text: str) -> float:
    units = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}
    return next(float(text.removesuffix(unit)) * factor for unit, factor in units.items() if text.endswith(unit))
