"""Silence towards the exchange while it has banned us. Knows no HTTP."""

import threading
import time
from collections.abc import Callable


class Gate:
    """Closed by whichever request is told to wait, for all of them. Requests that are under way at
    that moment cannot be taken back; so after a silence, and at the start, requests go one at a
    time until one is answered. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._closed_until = 0.0
        self._proven = False
        self.closings = 0

    def close(self, seconds: float) -> None:
        """Nobody calls for `seconds`; a shorter ban never ends a longer one."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)
            self._proven = False
            self.closings += 1

    def closed_seconds(self) -> float:
        """How long the silence still lasts; 0 when calls are allowed."""
        with self._lock:
            return max(0.0, self._closed_until - self._clock())

    @property
    def one_at_a_time(self) -> bool:
        return not self._proven

    def answered(self, closings_before: int) -> bool:
        """The exchange serves us: calls may go side by side. A request that was sent before the
        latest closing (`closings` of then) proves nothing. Returns whether this ended a silence."""
        with self._lock:
            if self._proven or closings_before != self.closings:
                return False
            self._proven = True
            return self.closings > 0
