"""Cassandra without the rest of the pipeline, with the rows of known.py, and an API over it, which
is started as a user starts it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cassandra.cluster import Session

from local.ports import free_ports
from local.stack import Stack
from pipeline import cassandra_session
from pipeline.settings import load
from tests.integration.api import known
from tests.support.program import Program
from tests.support.waiting import seconds_passed, wait_until


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("cassandra"), ("cassandra", "cassandra-schema")) as running:
        yield running


@pytest.fixture(scope="package")
def writer(store: Stack) -> Iterator[Session]:
    """A session with the consumer's role."""
    settings = load("consumer", environ=store.environ, dotenv="/dev/null")
    session = cassandra_session.connect(settings, keyspace=settings.CASSANDRA_KEYSPACE)
    yield session
    session.cluster.shutdown()


@pytest.fixture(scope="package")
def api(store: Stack, writer: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A running API over the known rows."""
    known.write_all(writer)
    port, log = free_ports(1)[0], tmp_path_factory.mktemp("api") / "api.log"
    with Program(["cassandra_api.py"], api_environ(store, port), log, port) as program:
        wait_until(program.healthy, 30, "the API's health")
        yield program


def api_environ(store: Stack, port: int, **more: str) -> dict[str, str]:
    return {**store.environ, "API_PORT": str(port), "LOG_FORMAT": "json", **more}


@pytest.fixture
def metric(api: Program) -> Callable[..., float]:
    """`metric("api_requests_total", route="/")` returns the sum as it is now: the API answers with
    a text of up to 0.3 s ago."""

    def value(name: str, **labels: str) -> float:
        wait_until(seconds_passed(0.4), 5, "a new text of metrics")
        return api.metric(name, **labels)

    return value


@pytest.fixture(scope="package")
def base(api: Program) -> str:
    return f"http://127.0.0.1:{api.monitor_port}"


@pytest.fixture(scope="package")
def ask(base: str) -> Callable[..., requests.Response]:
    """`ask("/klines", symbol="CANUSDT", from_=5)` returns the reply; `from_` stands for from."""

    def get(path: str, **arguments: Any) -> requests.Response:
        return requests.get(base + path, params={name.rstrip("_"): str(v) for name, v in arguments.items()}, timeout=15)

    return get


@pytest.fixture(scope="package")
def rows(ask: Callable[..., requests.Response]) -> Callable[..., list[dict[str, Any]]]:
    """The rows of a reply whose status must be 200."""

    def get(path: str, **arguments: Any) -> list[dict[str, Any]]:
        reply = ask(path, **arguments)
        assert reply.status_code == 200, reply.text
        return reply.json()

    return get


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "program.log"
