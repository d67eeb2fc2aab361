"""One of our programs as a separate process, started as a user would start it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """Starts immediately; its output is appended to `log`. As a context manager it always stops the
    program at the end."""

    def __init__(self, command: list[str], environ: Mapping[str, str], log: Path, monitor_port: int = 0) -> None:
        self.log = log
        self.monitor_port = monitor_port
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=dict(environ),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, timeout_seconds: float = 15) -> int:
        """Stops the program with SIGTERM and returns its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.process.args} did not stop on SIGTERM; log: {self.log}") from None

    def kill(self) -> None:
        """kill -9, with all child processes."""
        with suppress(ProcessLookupError):  # it has ended already
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def healthy(self) -> object:
        """For wait_until: True when /health returns 200, else its response."""
        assert self.process.poll() is None, f"{self.process.args} ended with {self.process.poll()}:\n{self.output()}"
        reply = requests.get(f"http://127.0.0.1:{self.monitor_port}/health", timeout=2)
        return reply.status_code == 200 or reply.text

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels; 0 if there are no samples yet."""
        text = requests.get(f"http://127.0.0.1:{self.monitor_port}/metrics", timeout=2).text
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")
