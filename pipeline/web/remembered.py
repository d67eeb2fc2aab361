"""What is left of buckets of the past, kept for a while. Knows nothing of what the rows are."""

import threading
from collections.abc import Hashable

from cachetools import TTLCache

from pipeline.web.store import Row

# Rows of the past still come after an outage of the pipeline; this long it may take until an answer has them.
KEPT_SECONDS = 600
# Rows of a moment may arrive this long after it.
SETTLED_MS = 60_000


class Remembered:
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
