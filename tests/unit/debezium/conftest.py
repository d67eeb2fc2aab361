"""A fake Kafka Connect over HTTP, and a clock that only sleeping moves."""

from collections.abc import Iterator

import pytest

from debezium.connect import Connect
from debezium.register import CONNECTOR
from tests.unit.support.clocks import FakeClock
from tests.unit.support.http_stub import HttpStub, Reply, as_json

CONFIG_PATH = f"/connectors/{CONNECTOR}/config"
STATUS_PATH = f"/connectors/{CONNECTOR}/status"


@pytest.fixture
def kafka_connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    stub = HttpStub()
    yield stub
    stub.close()


@pytest.fixture
def connect(kafka_connect: HttpStub) -> Connect:
    return Connect(kafka_connect.url)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def status_reply():
    """GET …/status of a connector and its tasks in these states; a task FAILED has a trace."""

    def make(connector: str, *tasks: str) -> Reply:
        trace = "org.apache.kafka.connect.errors.ConnectException: slot is gone\n\tat io.debezium…"
        return as_json(
            {
                "name": CONNECTOR,
                "connector": {"state": connector, "worker_id": "w"},
                "tasks": [
                    {"id": number, "state": state, "worker_id": "w", **({"trace": trace} if state == "FAILED" else {})}
                    for number, state in enumerate(tasks)
                ],
                "type": "source",
            }
        )

    return make
