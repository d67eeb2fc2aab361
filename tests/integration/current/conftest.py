"""A real Redis for each test file, and the consumer to it."""

from collections.abc import Callable, Iterator

import pytest

from pipeline import redis_client
from pipeline.current.store import RedisStore
from pipeline.redis_keys import Keys
from pipeline.settings import load
from tests.support.program import Program
from tests.support.redis_server import RedisServer, running_redis
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisStore]:
    """The store over an empty Redis."""
    server.client.flushall()
    settings = load("redis", environ=server.environ, dotenv="/dev/null")
    found = RedisStore(redis_client.connect(settings, 3), Keys("crypto"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def to_redis(start: Callable[..., Program], server: RedisServer) -> Iterator[Callable[[], Program]]:
    """The running consumer; starts it, if the last test has ended it."""
    server.client.flushall()
    programs: list[Program] = []

    def running() -> Program:
        if not programs or programs[-1].process.poll() is not None:
            programs.append(start("consumer_to_redis.py", **server.environ))
            wait_until(programs[-1].healthy, 60, f"the consumer's health; {programs[-1].log}")
        return programs[-1]

    running()
    yield running
    for program in programs:
        if program.process.poll() is None:
            program.stop()
