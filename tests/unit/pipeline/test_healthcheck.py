"""pipeline/healthcheck.sh: 0 for a 200, 1 for all else."""

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.ports import free_ports
from tests.support.program import ROOT


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 503)
        self.end_headers()
        self.wfile.write(b'{"status": "200 or not"}')

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def healthcheck(port: int, path: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / "pipeline" / "healthcheck.sh"), str(port), path]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)


def test_healthy_program_passes(port: int) -> None:
    assert healthcheck(port, "/health").returncode == 0


def test_other_status_fails_and_is_named(port: int) -> None:
    done = healthcheck(port, "/stuck")
    assert done.returncode == 1
    assert "503" in done.stderr


def test_closed_port_fails() -> None:
    assert healthcheck(free_ports(1)[0], "/health").returncode == 1
