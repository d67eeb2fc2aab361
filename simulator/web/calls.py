"""Which calls were made and with which result, for tests to check afterwards. Knows no limits and
no faults."""

from collections import Counter
from threading import Lock

from simulator.source import Reply


class CallReport:
    """Counts by path and status. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, path: str, outcome: str) -> None:
        """`outcome`: the HTTP status as text, or what happened instead of a reply."""
        with self._lock:
            self._counts[path, outcome] += 1

    def by_path(self) -> Reply:
        """{path: {outcome: calls}}"""
        with self._lock:
            counts = sorted(self._counts.items())
        found: Reply = {}
        for (path, outcome), count in counts:
            found.setdefault(path, {})[outcome] = count
        return found
