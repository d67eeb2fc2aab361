"""Grafana's end, and a sender that pushes to it. test_live.py runs the whole program."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from pipeline.live import sender as sender_module
from pipeline.live.account import ServiceAccount
from pipeline.live.channels import STREAM
from pipeline.live.connection import Connection
from pipeline.live.frames import Frames
from pipeline.live.sender import Sender
from pipeline.settings import Settings, load
from pipeline.stopping import Stop
from tests.support.live.grafana_server import GrafanaServer


@pytest.fixture
def grafana() -> Iterator[GrafanaServer]:
    with GrafanaServer() as server:
        yield server


def settings_for(grafana: GrafanaServer, **environ: str) -> Settings:
    return load("live", environ={"GRAFANA_URL": grafana.url, **environ}, dotenv="/dev/null")


@dataclass
class Pusher:
    """A sender in its thread."""

    frames: Frames
    sender: Sender
    account: ServiceAccount

    def connected(self) -> bool:
        return self.sender.connected


@pytest.fixture
def start_sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pusher]]:
    """`start_sender(grafana)`; all are stopped at the end. Back-off is short."""
    monkeypatch.setattr(sender_module, "MAX_BACKOFF_SECONDS", 0.5)
    stop, threads = Stop(), []

    def start(grafana: GrafanaServer, **environ: str) -> Pusher:
        settings = settings_for(grafana, **environ)
        frames, account = Frames(), ServiceAccount(settings)
        sender = Sender(frames, account, lambda token: Connection(settings.GRAFANA_URL, STREAM, token))
        threads.append(sender.start(stop))
        return Pusher(frames, sender, account)

    yield start
    stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[str], int]:
    """How often an event was logged."""
    caplog.set_level(logging.DEBUG, "pipeline")
    return lambda event: sum(record.getMessage() == event for record in caplog.records)
