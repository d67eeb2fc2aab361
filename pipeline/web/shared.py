"""A short memory that many readers share: what was read is kept for a moment, and of many who want the same at once
one reads and the others wait. Knows nothing of what is read."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

from pipeline.errors import StoreUnavailable
from pipeline.web import metrics

Value = TypeVar("Value")
WAIT_SECONDS = 5.0


class Shared(Generic[Value]):
    """Values by key, for `seconds` after they were read, together at most `most` in `size`. A read that fails is not
    kept: its error goes to those who waited for it. `name` is that of the metrics."""

    def __init__(
        self, name: str, seconds: float, most: int, size: Callable[[Value], int] = lambda value: 1, **clock: Any
    ) -> None:
        self._hits, self._waits, self._misses = (metrics.CACHE.labels(name, r) for r in ("hit", "shared", "miss"))
        self._lock = threading.Lock()
        self._kept: TTLCache[Hashable, Value] = TTLCache(most, seconds, getsizeof=size, **clock)
        self._reading: dict[Hashable, Future[Value]] = {}

    def peek(self, key: Hashable) -> Value | None:
        """The value of `key` if it is there."""
        with self._lock:
            value = self._kept.get(key)
        if value is not None:
            self._hits.inc()
        return value

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """The value of `key`, read when it is not there. Raises what `read` raises, and StoreUnavailable when another's
        read takes too long."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._hits.inc()
                return value
            reading = self._reading.get(key)
            if reading is None:
                mine = self._reading[key] = Future()
        if reading is not None:
            self._waits.inc()
            try:
                return reading.result(WAIT_SECONDS)
            except Late:
                raise StoreUnavailable(f"the same read of another request takes over {WAIT_SECONDS:g} s") from None
        self._misses.inc()
        return self._read(key, read, mine)

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
                self._kept[key] = value
            except ValueError:
                pass  # larger than the whole memory: answered, not kept
        mine.set_result(value)
        return value
