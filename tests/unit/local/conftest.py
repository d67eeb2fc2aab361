"""Tiny services made of `sh -c`, and a runner that is stopped after each test. No JVM, no
database."""

import sys
from pathlib import Path

import pytest

from local.runner import Runner
from local.service import Service
from local.waiting import NotReady, until_ready

WAIT_SECONDS = 10


def until(condition, what: str) -> None:
    """Wait for `condition()` to be true."""

    def check() -> None:
        seen = condition()
        if not seen:
            raise NotReady(repr(seen))

    until_ready(check, WAIT_SECONDS, what, pause_seconds=0.02)


def sh(name: str, script: str = "exec sleep 600", **options) -> Service:
    """A service that runs a shell script."""
    return Service(name=name, command=("sh", "-c", script), ready_seconds=WAIT_SECONDS, **options)


class Reports(list):
    """What a runner or keeper reported: (name, text) pairs."""

    def __call__(self, name: str, text: str) -> None:
        self.append((name, text))

    def names(self, beginning: str) -> list[str]:
        return [name for name, text in self if text.startswith(beginning)]


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def runner_of(tmp_path: Path, reports: Reports):
    """Makes runners of services; stops them after the test."""
    made: list[Runner] = []

    def make(*services: Service) -> Runner:
        made.append(Runner(services, tmp_path, report=reports))
        return made[-1]

    yield make
    for runner in made:
        runner.stop()


@pytest.fixture
def python() -> str:
    return sys.executable
