"""Reads the current state from Redis, if that is complete and up to date, and never lets a request
wait for a Redis that does not answer. Knows the script and the time-outs; knows nothing of HTTP."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from redis import Redis

from pipeline import redis_client
from pipeline.api import metrics
from pipeline.api.cache import Cache
from pipeline.api.max_age import ROWS_FRESH_SECONDS
from pipeline.api.redis_state import RedisState, state_of
from pipeline.backoff import Backoff
from pipeline.errors import StoreUnavailable
from pipeline.outage import Outage
from pipeline.redis_client import Script, asked
from pipeline.redis_keys import Keys
from pipeline.settings import Settings
from pipeline.tables import DATA_SOURCE, INSTRUMENTS, PRICES, STATS

log = logging.getLogger(__name__)

# The whole market takes one or two ms. A request that finds Redis hanging pays this once; after
# that, a thread of its own finds out when Redis answers again.
TIMEOUT_SECONDS = 0.2
# The consumer moves the watermark every half second; a rebalance of its group may take two seconds.
MAX_BEHIND_MS = 3000
OK, BEHIND, INCOMPLETE, UNAVAILABLE = "ok", "behind", "incomplete", "unavailable"
SCRIPT = Path(__file__).with_name("redis_state.lua")


class RedisReader:
    """`status`: what the last read found: OK, BEHIND, INCOMPLETE or UNAVAILABLE."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[Settings, float], Redis] = redis_client.connect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        keys = Keys(settings.TOPIC_PREFIX)
        tables = map(keys.rows, (PRICES.name, STATS.name, INSTRUMENTS.name, DATA_SOURCE))
        self._keys = (keys.complete, keys.positions, keys.applied, *tables, keys.tracked)
        self._redis = connect(settings, TIMEOUT_SECONDS)
        self._script = Script(SCRIPT, read_only=True)
        self._clock = clock
        self._cache: Cache[RedisState | None] = Cache("rows", ROWS_FRESH_SECONDS, max_size=1)
        self._outage, self._backoff = Outage("redis", log), Backoff(max_seconds=5.0)
        self._prober = ThreadPoolExecutor(1, "probe-redis")
        self._probing = threading.Lock()
        self._next_probe = 0.0
        self.status = INCOMPLETE

    def read(self) -> RedisState | None:
        """None when Redis is unavailable, empty or behind."""
        if self.status != UNAVAILABLE:
            return self._cache.get_or_read("state", self._read)
        if self._clock() >= self._next_probe and self._probing.acquire(blocking=False):
            self._prober.submit(self._probe)
        return None

    def _probe(self) -> None:
        try:
            self._read()
        finally:
            self._probing.release()

    def _read(self) -> RedisState | None:
        began = time.perf_counter()
        try:
            status, *found = asked(lambda: self._script.run(self._redis, self._keys, (MAX_BEHIND_MS,)))
        except StoreUnavailable as error:
            metrics.REDIS_ERRORS.inc()
            delay = self._backoff.next_seconds()
            self._next_probe, self.status = self._clock() + delay, UNAVAILABLE
            self._outage.failed(error, delay)
            return None
        self._outage.over()
        self._backoff.reset()
        metrics.REDIS_SECONDS.observe(time.perf_counter() - began)
        self._show(status.decode())
        return state_of(found[1:]) if self.status == OK else None

    def _show(self, status: str) -> None:
        if status != self.status:
            log.info("redis_state", extra={"was": self.status, "now": status})
        self.status = status
