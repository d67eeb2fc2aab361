"""A real Prometheus with the project's configuration. Only the addresses of its targets differ:
they are those of the programs that the test runs."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import requests
import yaml

from tests.support.grafana.files import ROOT, read_yaml

# Where .ci/run unpacks it if the machine has none.
UNPACKED = ROOT / ".local" / "prometheus" / "usr" / "bin"
MISSING = "prometheus is not installed (package prometheus); `make test-compose` tests the one of the compose file"


def program(name: str) -> str | None:
    """Path of `prometheus` or `promtool`; None if this machine does not have it."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), str(UNPACKED)]))


class Prometheus:
    """Starts immediately, in `directory`. `targets`: the port of each scrape job's program."""

    def __init__(self, directory: Path, port: int, targets: Mapping[str, int]) -> None:
        config = read_yaml(ROOT / "prometheus" / "prometheus.yml")
        for job in config["scrape_configs"]:
            job.pop("dns_sd_configs", None)
            job["static_configs"] = [{"targets": [f"127.0.0.1:{targets[job['job_name']]}"]}]
        config["rule_files"] = [str(ROOT / "prometheus" / path) for path in config["rule_files"]]
        self.path = directory / "prometheus.yml"
        self.address = f"http://127.0.0.1:{port}"
        self.path.write_text(yaml.safe_dump(config), encoding="utf-8")
        self.log = directory / "prometheus.log"
        command = [
            str(program("prometheus")),
            f"--config.file={self.path}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=directory)

    def __enter__(self) -> "Prometheus":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def ready(self) -> bool:
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        return requests.get(f"{self.address}/-/ready", timeout=2).status_code == 200

    def values(self, expression: str, **labels: str) -> list[float]:
        """The current values of an expression, of the series with these labels."""
        reply = requests.get(f"{self.address}/api/v1/query", {"query": expression}, timeout=5)
        reply.raise_for_status()
        series = reply.json()["data"]["result"]
        return [float(each["value"][1]) for each in series if labels.items() <= each["metric"].items()]
