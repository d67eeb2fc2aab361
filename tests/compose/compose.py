"""`docker compose` for the tests: one project on free ports. Knows the command line; knows nothing
of the tests."""

import json
import os
import subprocess
from collections.abc import Mapping

from local.ports import free_ports
from tests.support.program import ROOT

PORTS = ("API_PORT", "GRAFANA_PORT", "PROMETHEUS_PORT", "CONNECT_PORT", "KAFKA_PORT", "PGPORT", "CASSANDRA_PORT")


class Compose:
    """The demo profile of docker-compose.yml."""

    def __init__(self) -> None:
        self.project = f"crypto-test-{os.getpid()}"
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS)))))
        self.environ: Mapping[str, str] = {**os.environ, **self.ports, "COMPOSE_PROJECT_NAME": self.project}

    def __call__(self, *arguments: str, timeout_seconds: float = 300) -> str:
        """What the command printed on stdout. Fails with both outputs when it does not end with
        0."""
        command = ["docker", "compose", "--profile", "demo", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self) -> None:
        self("up", "--detach", "--wait", timeout_seconds=400)

    def services(self) -> dict[str, dict]:
        """What `ps` says of every container, ended ones included, by service."""
        return {
            found["Service"]: found for found in map(json.loads, self("ps", "--all", "--format", "json").splitlines())
        }

    def url(self, port: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def leftovers(self) -> list[str]:
        """Containers, volumes and networks that bear the project's name."""
        found = []
        for kind in ("container", "volume", "network"):
            everything = ("--all",) if kind == "container" else ()
            label = f"label=com.docker.compose.project={self.project}"
            command = ["docker", kind, "ls", *everything, "--quiet", "--filter", label]
            found += subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return found
