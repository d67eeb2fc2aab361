"""The exchange's ban on our requests: how long it lasts, and whether the exchange serves us again.
Knows no HTTP."""

import threading
import time
from collections.abc import Callable


class Ban:
    """Begins with any reply that tells us to wait, and holds for every request. Requests in flight
    at that moment cannot be cancelled; so after a ban, and at the start, requests go one at a time
    until one is answered. Thread-safe.

    `count`: how many bans have begun."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ends_at = 0.0
        self._confirmed = False
        self.count = 0

    def begin(self, seconds: float) -> None:
        """No request for `seconds`; a shorter ban never ends a longer one."""
        with self._lock:
            self._ends_at = max(self._ends_at, self._clock() + seconds)
            self._confirmed = False
            self.count += 1

    def remaining_seconds(self) -> float:
        """How long the ban still lasts; 0 when requests are allowed."""
        with self._lock:
            return max(0.0, self._ends_at - self._clock())

    @property
    def probing(self) -> bool:
        """Whether requests must go one at a time, because none has been answered yet."""
        return not self._confirmed

    def confirmed(self, count_before: int) -> bool:
        """The exchange answered a request, so requests may go in parallel again. `count_before`:
        the count when the request was sent; if a ban has begun since, the answer confirms nothing.
        Returns whether this was the first answer after a ban."""
        with self._lock:
            if self._confirmed or count_before != self.count:
                return False
            self._confirmed = True
            return self.count > 0
