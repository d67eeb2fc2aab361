"""What the unit tests of pipeline/ share: saved envelopes and replies, a loopback HTTP server, a
clock that only moves when told to."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Settings, load
from tests.unit.support.clocks import FakeClock
from tests.unit.support.http_stub import HttpStub

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def envelope() -> Callable[[str], bytes]:
    """The saved envelope of a case, as the consumer gets it. Written by hand in the shape of
    Debezium 3.7."""
    return lambda case: (DATA / "envelopes" / f"{case}.json").read_bytes()


@pytest.fixture
def exchange_reply() -> Callable[[str], Any]:
    """A shortened recorded reply of the exchange."""
    return lambda name: json.loads((DATA / "exchange" / f"{name}.json").read_bytes())


@pytest.fixture
def http_stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    stub = HttpStub()
    yield stub
    stub.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def defaults(tmp_path: Path) -> Settings:
    """The settings of a machine where nothing is set."""
    return load("producer", environ={}, dotenv=tmp_path / "none")
