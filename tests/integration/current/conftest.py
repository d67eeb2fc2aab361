"""A real Redis for each test file."""

from collections.abc import Iterator

import pytest

from local import redis_program
from pipeline import redis_client
from pipeline.current.store import RedisStore
from pipeline.redis_keys import Keys
from pipeline.settings import load
from tests.support.redis_server import MISSING, RedisServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if redis_program.find() is None:
        pytest.skip(MISSING)
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    yield running
    running.stop()


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisStore]:
    """The store over an empty Redis."""
    server.client.flushall()
    settings = load("redis", environ=server.environ, dotenv="/dev/null")
    found = RedisStore(redis_client.connect(settings, 3), Keys("crypto"))
    yield found
    found.close()
