"""The exchange's clock, estimated from its replies. Knows no HTTP."""

import threading
from collections.abc import Callable

from pipeline.times import now_ms


class ExchangeClock:
    """Learns from replies that carry the exchange's time. Thread-safe."""

    def __init__(self, local_ms: Callable[[], int] = now_ms) -> None:
        self._local_ms = local_ms
        self._lock = threading.Lock()
        self._behind_ms = 0

    def learn(self, server_ms: int, received_at_local_ms: int) -> None:
        """A reply that arrived at `received_at_local_ms` carries the time `server_ms`. The exchange
        wrote it earlier, so the estimate is never ahead of the exchange's clock."""
        with self._lock:
            self._behind_ms = received_at_local_ms - server_ms

    def surely_past_ms(self) -> int:
        """A time (ms) that the exchange's clock has certainly passed."""
        with self._lock:
            return self._local_ms() - self._behind_ms

    def seconds(self) -> float:
        """The same in seconds; the exchange's minutes are counted by it."""
        return self.surely_past_ms() / 1000
