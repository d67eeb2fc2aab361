"""What is left of buckets of the past, kept for a while. Knows nothing of what the rows are."""

import threading
from collections.abc import Hashable

from cachetools import TTLCache

from pipeline.api.store import Row

# Only what is over is kept; but a dead letter that is written after all may be as old as it likes.
KEPT_SECONDS = 600
# Rows of a symbol arrive in their order, but for those that are being written together.
SETTLED_MS = 60_000


def is_over(end_ms: int, newest_ms: int, now_ms: int) -> bool:
    """Whether no row is expected any more before `end_ms`: the symbol has later ones. That some
    time has passed is not enough, because after an outage of the pipeline rows of the past are
    still to come."""
    return end_ms <= newest_ms and end_ms <= now_ms - SETTLED_MS


class BucketCache:
    """Lists of rows by key, at most `most_rows` of them (an empty list counts as one)."""

    def __init__(self, most_rows: int) -> None:
        self._lock = threading.Lock()
        self._kept: TTLCache[Hashable, list[Row]] = TTLCache(most_rows, KEPT_SECONDS, getsizeof=lambda r: len(r) + 1)

    def get(self, key: Hashable) -> list[Row] | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, rows: list[Row]) -> None:
        with self._lock:
            try:
                self._kept[key] = rows
            except ValueError:
                pass  # more rows than may be kept at all
