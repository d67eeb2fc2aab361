"""Caches aggregated past buckets. Knows nothing of what the rows are."""

import threading
from collections.abc import Hashable

from cachetools import TTLCache

from pipeline.api.store import Row

# Only settled buckets are cached, but a dead letter that is replayed may belong to any of them.
CACHED_SECONDS = 600
# A symbol's rows arrive in order, except those that are being written at the same time.
SETTLED_MS = 60_000


def is_settled(end_ms: int, newest_ms: int, now_ms: int) -> bool:
    """Whether no more rows before `end_ms` are expected: the symbol has later ones. That some time
    has passed is not enough, because after an outage of the pipeline past rows are still to
    come."""
    return end_ms <= newest_ms and end_ms <= now_ms - SETTLED_MS


class BucketCache:
    """Lists of rows by key, at most `max_rows` of them in total (each list counts as one more)."""

    def __init__(self, max_rows: int) -> None:
        self._lock = threading.Lock()
        self._rows: TTLCache[Hashable, list[Row]] = TTLCache(
            max_rows, CACHED_SECONDS, getsizeof=lambda rows: len(rows) + 1
        )

    def get(self, key: Hashable) -> list[Row] | None:
        with self._lock:
            try:
                return self._rows[key]  # half the time of `get`, for hundreds of buckets per request
            except KeyError:
                return None

    def put(self, key: Hashable, rows: list[Row]) -> None:
        with self._lock:
            try:
                self._rows[key] = rows
            except ValueError:
                pass  # larger than the whole cache
