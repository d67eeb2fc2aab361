"""A short memory that many readers share: what was read is kept for a moment, and of many who want
the same at once one reads. Knows nothing of what is read."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Generic, NamedTuple, TypeVar

from cachetools import TTLCache

from pipeline.api import metrics
from pipeline.errors import StoreUnavailable

log = logging.getLogger(__name__)

Value = TypeVar("Value")
WAIT_SECONDS = 5.0
# Reads behind answers that are given meanwhile; each key has at most one, so few wait for a thread.
BACKGROUND_READS = 4


class Kept(NamedTuple):
    value: object
    until: float  # from then on it is old


class Cache(Generic[Value]):
    """Values by key, together at most `most` in `size`. For `seconds` after it was read a value is
    fresh. For the same time again it is old: still given, while one reads it again behind the
    reply, so that of many who ask all the time nobody waits. After that the first who asks reads
    and the others wait. A read that fails is not kept: its error goes to those who waited for it.
    `name` is that of the metrics."""

    def __init__(
        self,
        name: str,
        seconds: float,
        most: int,
        size: Callable[[Value], int] = lambda value: 1,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        results = ("hit", "old", "shared", "miss")
        self._hits, self._olds, self._waits, self._misses = (metrics.CACHE.labels(name, result) for result in results)
        self._seconds = seconds
        self._timer = timer
        self._lock = threading.Lock()
        self._kept: TTLCache[Hashable, Kept] = TTLCache(
            most, 2 * seconds, getsizeof=lambda kept: size(kept.value), timer=timer
        )
        self._reading: dict[Hashable, Future[Value]] = {}
        self._background = ThreadPoolExecutor(BACKGROUND_READS, f"read-{name}")

    def peek(self, key: Hashable) -> Value | None:
        """The value of `key` if it is there and fresh."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or self._timer() >= kept.until:
            return None
        self._hits.inc()
        return kept.value

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """The value of `key`, read when it is not there. Raises what `read` raises, and
        StoreUnavailable when another's read takes too long."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._timer() < kept.until:
                self._hits.inc()
                return kept.value
            reading = self._reading.get(key)
            if reading is None:
                mine = self._reading[key] = Future()
        if kept is not None:
            self._olds.inc()
            if reading is None:
                self._background.submit(self._read_behind, key, read, mine)
            return kept.value
        if reading is not None:
            self._waits.inc()
            try:
                return reading.result(WAIT_SECONDS)
            except Late:
                raise StoreUnavailable(f"the same read of another request takes over {WAIT_SECONDS:g} s") from None
        self._misses.inc()
        return self._read(key, read, mine)

    def _read_behind(self, key: Hashable, read: Callable[[], Value], mine: "Future[Value]") -> None:
        """Nobody hears of an error here: the next who finds nothing kept reads again and does."""
        try:
            self._read(key, read, mine)
        except StoreUnavailable as error:
            log.debug("store_unavailable", extra={"error": str(error)})
        except Exception:
            log.exception("unexpected_error")

    def _read(self, key: Hashable, read: Callable[[], Value], mine: "Future[Value]") -> Value:
        try:
            value = read()
        except BaseException as error:
            with self._lock:
                del self._reading[key]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._reading[key]
            try:
                self._kept[key] = Kept(value, self._timer() + self._seconds)
            except ValueError:
                pass  # larger than the whole memory: answered, not kept
        mine.set_result(value)
        return value
