"""The real services on free ports, started once per run. The tests start our own programs where
they need them."""

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from cassandra.cluster import Session
from cassandra.query import dict_factory

from local.ports import free_ports
from local.stack import CHAIN, Stack
from pipeline import cassandra_session
from pipeline.settings import Settings, load
from tests.support.program import Program
from tests.support.waiting import wait_until

ENVIRONMENT = {"LOG_LEVEL": "DEBUG"}

# It warns at each consumer without a group, which the tests make by the hundred.
logging.getLogger("kafka.coordinator.consumer").setLevel(logging.ERROR)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Kafka, Connect with a running connector, and Cassandra, with our schemas."""
    with Stack(tmp_path_factory.mktemp("stack"), CHAIN, environ=ENVIRONMENT) as running:
        yield running


@pytest.fixture(scope="session")
def settings(stack: Stack) -> Settings:
    return load("consumer", environ=stack.environ, dotenv="/dev/null")


@pytest.fixture(scope="session")
def start(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Program]:
    """Starts a program that uses the stack, e.g.
    `start("consumer_to_cassandra.py", "--tables", "klines", CONSUMER_GROUP="x")`."""
    logs, numbers = tmp_path_factory.mktemp("programs"), itertools.count(1)

    def start_program(*command: str, **environ: str) -> Program:
        port = free_ports(1)[0]
        name = Path(command[-1] if command[0] != "-m" else command[1]).stem
        settings = {**stack.environ, "METRICS_PORT": str(port), **environ}
        return Program(list(command), settings, logs / f"{next(numbers):02}_{name}.log", port)

    return start_program


@pytest.fixture(scope="session")
def consumer(start: Callable[..., Program]) -> Iterator[Program]:
    """A consumer of all captured tables."""
    with start("consumer_to_cassandra.py") as program:
        wait_until(program.healthy, 60, "the consumer's health")
        yield program


@pytest.fixture(scope="session")
def api(start: Callable[..., Program]) -> Iterator[str]:
    """The base URL of a running API."""
    port = free_ports(1)[0]
    with start("cassandra_api.py", API_PORT=str(port)) as program:
        program.monitor_port = port
        wait_until(program.healthy, 30, "the API's health")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def postgres(settings: Settings) -> Iterator[psycopg2.extensions.connection]:
    """A superuser's connection with autocommit."""
    connection = psycopg2.connect(
        host=settings.PGHOST,
        port=settings.PGPORT,
        dbname=settings.PGDATABASE,
        user="postgres",
        password=settings.POSTGRES_PASSWORD,
        options="-c timezone=UTC",
    )
    connection.autocommit = True
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def reader(settings: Settings) -> Iterator[Session]:
    """A session of the read-only role."""
    password, keyspace = settings.CASSANDRA_READER_PASSWORD, settings.CASSANDRA_KEYSPACE
    session = cassandra_session.login(settings, "crypto_reader", password, dict_factory, keyspace)
    session.default_fetch_size = 5000
    yield session
    session.cluster.shutdown()
