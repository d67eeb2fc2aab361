"""A Redis that holds every current row, for as long as it is the same. Redis can lose its memory at
any moment and be filled again; what it answers then says nothing of what it answered before. Knows
the key that tells; knows no rows."""

from typing import Any

from redis import Redis

from pipeline.errors import StoreUnavailable
from pipeline.redis_client import asked
from pipeline.redis_keys import Keys

Command = tuple[str | bytes | int, ...]


class RedisIncomplete(StoreUnavailable):
    """Redis does not hold every current row, so nothing can be said about those that it holds."""


class FilledRedis:
    """`complete`: the value of that key, which is another one after each rebuild; empty until the
    first question."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self.keys = keys
        self.complete = b""

    def ask(self, *commands: Command) -> list[Any]:
        """The answers, all of them from the Redis that answered the first question. Raises
        RedisIncomplete, StoreUnavailable."""
        transaction = self._redis.pipeline()
        transaction.get(self.keys.complete)
        for command in commands:
            transaction.execute_command(*command)
        complete, *answers = asked(transaction.execute)
        if complete is None:
            raise RedisIncomplete("Redis is empty, or is being filled: see the log of consumer_to_redis.py")
        if self.complete and complete != self.complete:
            raise RedisIncomplete("Redis has lost its memory meanwhile, and was filled again")
        self.complete = complete
        return answers
