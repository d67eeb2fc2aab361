"""`docker compose` for the tests: one project on free ports. Knows the command line; knows nothing
of the tests."""

import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable
from typing import Self

from local.ports import free_ports
from tests.support.program import ROOT

PORTS = ("API_PORT", "GRAFANA_PORT", "PROMETHEUS_PORT", "CONNECT_PORT", "KAFKA_PORT", "PGPORT", "CASSANDRA_PORT")
NUMBERS = itertools.count(1)


class Compose:
    """docker-compose.yml under its own project name. A call runs a command with the demo profile,
    `plain` without a profile. `environ` may change between two commands, as a user edits .env. With
    `with` it is removed at the end, and nothing may be left."""

    def __init__(self, **settings: str) -> None:
        self.project = f"crypto-test-{os.getpid()}-{next(NUMBERS)}"
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS)))))
        self.environ = {**os.environ, **self.ports, "COMPOSE_PROJECT_NAME": self.project, **settings}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self.remove()
        assert failed or self.leftovers() == []

    def __call__(self, *arguments: str, timeout_seconds: float = 300) -> str:
        """What the command printed on stdout. Fails with both outputs unless it ends with 0."""
        return self._run(["--profile", "demo", *arguments], timeout_seconds)

    def plain(self, *arguments: str, timeout_seconds: float = 300) -> str:
        """The same without a profile."""
        return self._run(list(arguments), timeout_seconds)

    def _run(self, arguments: list[str], timeout_seconds: float) -> str:
        done = self.attempt(*arguments, timeout_seconds=timeout_seconds)
        assert done.returncode == 0, f"{' '.join(done.args)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str, timeout_seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """The command's end, whatever it is."""
        command = ["docker", "compose", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )

    def up(self) -> None:
        self("up", "--detach", "--wait", timeout_seconds=400)

    def first_start(self) -> None:
        """From nothing until all are healthy; `up --wait` fails otherwise."""
        self("build", timeout_seconds=900)
        began = time.monotonic()
        self.up()
        print(f"\nall healthy after {time.monotonic() - began:.0f} s")

    def services(self) -> dict[str, dict]:
        """What `ps` reports of every container, ended ones included, by service."""
        return {
            found["Service"]: found for found in map(json.loads, self("ps", "--all", "--format", "json").splitlines())
        }

    def state(self, service: str) -> dict:
        """The `State` of the service's container, as the engine reports it."""
        container = self("ps", "--all", "--quiet", service).strip()
        return json.loads(docker("inspect", "--format", "{{json .State}}", container))

    def ended_with_0(self, service: str) -> Callable[[], object]:
        """For wait_until."""

        def check() -> object:
            state = self.state(service)
            return (state["Status"], state["ExitCode"]) == ("exited", 0) or state

        return check

    def url(self, port: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def remove(self) -> None:
        """Containers, volumes, networks and images of the project."""
        self("down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "20")

    def leftovers(self) -> list[str]:
        """Containers, volumes and networks with the project's label."""
        found = []
        for kind in ("container", "volume", "network"):
            everything = ("--all",) if kind == "container" else ()
            label = f"label=com.docker.compose.project={self.project}"
            found += docker(kind, "ls", *everything, "--quiet", "--filter", label).split()
        return found


def docker(*arguments: str) -> str:
    """What the command printed on stdout."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout
