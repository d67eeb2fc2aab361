"""The pipeline's services as one object: `with Stack(tmp_path, ("postgres", "kafka")) as stack:`.
Used by `make demo` (all services, the ports of the settings) and by the integration tests (some of
them, free ports)."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from local import java, nodes, postgres_home, postgres_programs, redis_program
from local.jars import postgres_from_jars
from local.layout import JARS, STATE, VENV_PYTHON
from local.runner import Runner
from local.service import Service
from local.services import cassandra, connect, kafka, postgres, programs, redis
from local.site import Ports, Site, addresses
from pipeline.settings import load

# In the order data flows. `after` of each service decides the order of the start.
CATALOG: dict[str, Callable[[Site], Service]] = {
    "simulator": programs.simulator,
    "postgres": postgres.postgres,
    "postgres-schema": programs.postgres_schema,
    "producer": programs.producer,
    "forecaster": programs.forecaster,
    "kafka": kafka.kafka,
    "connect": connect.connect,
    "connector": programs.connector,
    "guard": programs.guard,
    "cassandra": cassandra.cassandra,
    "cassandra-schema": programs.cassandra_schema,
    "consumer": programs.consumer,
    "redis": redis.redis,
    "consumer-redis": programs.consumer_redis,
    "auditor": programs.auditor,
    "api": programs.api,
}
WITH_REDIS = frozenset({"redis", "consumer-redis"})
INFRASTRUCTURE = ("postgres", "kafka", "cassandra", "connect")
# With our schemas and the connector: changes reach Kafka, and Cassandra has its tables.
CHAIN = ("postgres", "postgres-schema", "kafka", "connect", "connector", "cassandra", "cassandra-schema")


def available() -> list[str]:
    """What this machine can run: everything, or all but what needs a redis-server."""
    has_redis = redis_program.find() is not None
    return [name for name in CATALOG if has_redis or name not in WITH_REDIS]


def make_site(state_dir: Path, ports: Ports, environ: Mapping[str, str], count: int = 1) -> Site:
    """The Site of a stack of `count` nodes. Raises LookupError when a program is missing."""
    environ = {
        **os.environ,
        **addresses(ports),
        **nodes.environ(ports.kafka, count),
        "PYTHONUNBUFFERED": "1",
        **environ,
    }
    available = postgres_programs.installed() + postgres_from_jars()
    data_major = postgres_home.data_major(state_dir / "postgres")
    chosen = postgres_programs.choose(available, data_major)
    java_program = java.find()
    if java_program is None or chosen is None:
        raise LookupError(f"Java 17 or PostgreSQL {data_major or ''} is missing: run `python3 -m local setup`")
    return Site(
        state_dir=state_dir,
        jars_dir=JARS,
        java=java_program,
        python=str(VENV_PYTHON),
        postgres=chosen,
        ports=ports,
        settings=load("local", environ=environ),
        environ=environ,
        nodes=count,
    )


class Stack(Runner):
    """The named services (default: the four servers, without our programs) in `state_dir`. Without
    `ports`, free ones are chosen. `environ` overrides settings for all of them. With
    `stack.environ`, programs and tests find the services. `count`: 1, or nodes.SEVERAL of those
    that nodes.COUNTS names."""

    def __init__(
        self,
        state_dir: Path,
        services: Iterable[str] = INFRASTRUCTURE,
        environ: Mapping[str, str] | None = None,
        ports: Ports | None = None,
        report: Callable[[str, str], None] = lambda name, text: None,
        catalog: Mapping[str, Callable[[Site], Service]] = CATALOG,
        count: int = 1,
    ) -> None:
        self.ports = ports or Ports.free()
        names = set(services)
        # Only with a Redis of its own: without it the API would look for one in vain.
        redis_url = {"REDIS_URL": f"redis://127.0.0.1:{self.ports.redis}"} if "redis" in names else {}
        site = make_site(Path(state_dir).resolve(), self.ports, {**redis_url, **(environ or {})}, count)
        self.environ = site.environ
        chosen = [
            nodes.at_node(catalog[name](replace(site, node=node)), node, count)
            for name in catalog
            if name in names
            for node in nodes.of(name, count)
        ]
        super().__init__(chosen, site.state_dir, site.environ, report)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        # PostgreSQL's directory may be elsewhere (postgres_home.home): `make clean` finds it only
        # through .local.
        if not self.state_dir.is_relative_to(STATE):
            postgres_home.remove(self.state_dir)

    def remove(self) -> None:
        """Stop everything and delete its data."""
        self.stop()
        postgres_home.remove(self.state_dir)
        shutil.rmtree(self.state_dir)
