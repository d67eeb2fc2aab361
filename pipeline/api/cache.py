"""Stale-while-revalidate cache: a value is served for a short time after it was read; concurrent
misses share one read. Knows nothing of the values."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, NamedTuple, TypeVar

from cachetools import TTLCache

from pipeline.api import metrics
from pipeline.errors import StoreUnavailable

log = logging.getLogger(__name__)

Value = TypeVar("Value")
MAX_WAIT_SECONDS = 5.0
# Threads that refresh stale values. Each key has at most one refresh, so few wait for a thread.
REFRESH_THREADS = 4


class Entry(NamedTuple, Generic[Value]):
    value: Value
    fresh_until: float


class Cache(Generic[Value]):
    """Values by key, with a total `size` of at most `max_size`. A value is fresh for
    `fresh_seconds` after it was read. For the same time again it is stale: it is still served
    while a background thread reads it again, so under steady load no request waits. After that
    the first request reads and concurrent ones wait for its result. A failed read is not cached:
    its error is raised in every request that waited for it. `name` is the label of the
    metrics."""

    def __init__(
        self,
        name: str,
        fresh_seconds: float,
        max_size: int,
        size: Callable[[Value], int] = lambda value: 1,
        clock: Callable[[], float] = time.monotonic,
        refresher: Executor | None = None,
    ) -> None:
        self._hits = metrics.CACHE_LOOKUPS.labels(name, "hit")
        self._stale_hits = metrics.CACHE_LOOKUPS.labels(name, "old")
        self._shared_reads = metrics.CACHE_LOOKUPS.labels(name, "shared")
        self._misses = metrics.CACHE_LOOKUPS.labels(name, "miss")
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: TTLCache[Hashable, Entry[Value]] = TTLCache(
            max_size, 2 * fresh_seconds, getsizeof=lambda entry: size(entry.value), timer=clock
        )
        self._reads: dict[Hashable, Future[Value]] = {}
        self._refresher = refresher or ThreadPoolExecutor(REFRESH_THREADS, f"refresh-{name}")

    def peek(self, key: Hashable) -> Value | None:
        """The value of `key` if it is cached and fresh."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is None or self._clock() >= entry.fresh_until:
            return None
        self._hits.inc()
        return entry.value

    def get_or_read(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """The value of `key`; calls `read` if it is not cached. Raises what `read` raises, and
        StoreUnavailable if another request's read takes longer than MAX_WAIT_SECONDS."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._clock() < entry.fresh_until:
                self._hits.inc()
                return entry.value
            result = self._reads.get(key)
            is_first = result is None
            if result is None:
                result = self._reads[key] = Future()
        if entry is not None:
            self._stale_hits.inc()
            if is_first:
                self._refresher.submit(self._refresh, key, read, result)
            return entry.value
        if is_first:
            self._misses.inc()
            return self._read(key, read, result)
        self._shared_reads.inc()
        try:
            return result.result(MAX_WAIT_SECONDS)
        except FutureTimeout:
            raise StoreUnavailable(f"another request's read takes longer than {MAX_WAIT_SECONDS:g} s") from None

    def _refresh(self, key: Hashable, read: Callable[[], Value], result: "Future[Value]") -> None:
        """Read in the background. An error reaches only requests that wait for this read; once
        the stale value has expired, the next request reads and gets its own error."""
        try:
            self._read(key, read, result)
        except StoreUnavailable as error:
            log.debug("refresh_failed", extra={"error": str(error)})
        except Exception:
            log.exception("unexpected_error")

    def _read(self, key: Hashable, read: Callable[[], Value], result: "Future[Value]") -> Value:
        try:
            value = read()
        except BaseException as error:
            with self._lock:
                del self._reads[key]
            result.set_exception(error)
            raise
        with self._lock:
            del self._reads[key]
            try:
                self._entries[key] = Entry(value, self._clock() + self._fresh_seconds)
            except ValueError:
                pass  # larger than max_size: returned, not cached
        result.set_result(value)
        return value
