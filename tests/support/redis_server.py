"""A real redis-server on a port of its own, which a test can kill, hang, fill and start again."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from local import redis_program
from local.ports import free_ports
from tests.support.waiting import wait_until

PASSWORD = "secret of a test"
MISSING = "redis-server 7 or newer is not installed (package redis-server)"


class RedisServer:
    """Starts immediately and is ready when the constructor returns. `client` is a superuser's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_ports(1)[0]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.environ = {"REDIS_URL": self.url, "REDIS_PASSWORD": PASSWORD}
        self.client = redis.Redis(port=self.port, password=PASSWORD, socket_timeout=5)
        self.start()

    def start(self) -> None:
        command = [
            str(redis_program.find()),
            *("--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", PASSWORD),
            *("--save", "", "--appendonly", "no", "--dir", str(self.directory)),
            *("--maxmemory", "64mb", "--maxmemory-policy", "noeviction"),
        ]
        with (self.directory / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._answers, 10, "redis-server")

    def _answers(self) -> object:
        try:
            return self.client.ping()
        except redis.RedisError as error:
            return error

    def kill(self) -> None:
        """kill -9: without persistence everything is lost."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(10)

    def hang(self) -> None:
        """It accepts connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self.client.close()


@contextmanager
def running_redis(directory: Path) -> Iterator[RedisServer]:
    """For fixtures: without a redis-server their tests are skipped."""
    if redis_program.find() is None:
        pytest.skip(MISSING)
    server = RedisServer(directory)
    try:
        yield server
    finally:
        server.stop()
