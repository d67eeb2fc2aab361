"""Connections to Redis with short time-outs, and its errors as StoreUnavailable. Knows no key."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError
from redis.retry import Retry

from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings

Found = TypeVar("Found")


class OutOfMemory(StoreUnavailable):
    """Redis holds `maxmemory` and refuses every write. A retry succeeds once it has room."""


def connect(settings: Settings, timeout_seconds: float) -> Redis:
    """A client that connects with its first command. No retries of its own: whoever asks knows how
    long it can wait."""
    # Without a file redis-py trusts the authorities of this machine.
    tls = {"ssl_ca_certs": settings.REDIS_CA_FILE} if settings.REDIS_CA_FILE else {}
    return Redis.from_url(
        settings.REDIS_URL,
        **tls,
        password=settings.REDIS_PASSWORD,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )


def asked(command: Callable[[], Found]) -> Found:
    """What the command returns. Raises StoreUnavailable, or OutOfMemory."""
    try:
        return command()
    except OutOfMemoryError as error:
        raise OutOfMemory(f"Redis is full (maxmemory): {error}") from error
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"Redis: {type(error).__name__}: {error}") from error


class Script:
    """A Lua script, the text of these files one after the other. It is sent by its digest, its text
    only when Redis does not know it. `read_only`: Redis lets it change nothing."""

    def __init__(self, *paths: Path, read_only: bool = False) -> None:
        self.text = "".join(path.read_text(encoding="utf-8") for path in paths)
        self._evalsha = "EVALSHA_RO" if read_only else "EVALSHA"
        self._digest = ""

    def run(self, redis: Redis, keys: Sequence[str], arguments: Sequence[Any] = ()) -> Any:
        """What the script returns. Raises RedisError."""
        if not self._digest:
            self._digest = redis.script_load(self.text)
        command = (self._evalsha, self._digest, len(keys), *keys, *arguments)
        try:
            return redis.execute_command(*command)
        except NoScriptError:  # Redis was restarted
            redis.script_load(self.text)
            return redis.execute_command(*command)
