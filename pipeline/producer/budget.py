"""How much request weight may still be spent in this minute. Knows no HTTP and no schedule. The
exchange counts weight per IP address and per minute of its own clock; other programs may share the
address."""

import threading
import time
from collections.abc import Callable

# The exchange's limit as documented since 2023; replaced by what exchangeInfo says.
USUAL_LIMIT_PER_MINUTE = 6000
# Cap on the weight used by all clients behind this IP; the remainder absorbs what others use
# between two reports.
TOTAL_PERCENT = 90


class Budget:
    """We spend at most `percent` of the limit, and together with other programs on this address at
    most TOTAL_PERCENT. `clock`: the exchange's time in seconds, as far as known. Thread-safe."""

    def __init__(self, percent: int, clock: Callable[[], float] = time.time) -> None:
        self._percent = percent
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._others = 0
        self._others_before = 0
        self.limit_per_minute = USUAL_LIMIT_PER_MINUTE
        self.spent = 0

    @property
    def minute(self) -> int:
        """The number of the current minute; a reply reports the weight of the minute in which its
        request was sent."""
        return int(self._clock() // 60)

    @property
    def per_minute(self) -> float:
        """The weight we may spend in a minute if no other program uses this address."""
        return self.limit_per_minute * self._percent / 100

    def available_per_minute(self) -> float:
        """The weight to plan with, given what others used in this minute and the last."""
        with self._lock:
            self._reset_if_new_minute()
            return max(0.0, min(self.per_minute, self._total() - max(self._others, self._others_before)))

    def take(self, weight: int, reserved_per_minute: float = 0.0) -> bool:
        """Spend `weight`, if that leaves enough of this minute's weight for more urgent requests:
        `reserved_per_minute` times the remaining part of the minute."""
        with self._lock:
            self._reset_if_new_minute()
            reserved = reserved_per_minute * self.seconds_to_next_minute() / 60
            if self.spent + weight + reserved > min(self.per_minute, self._total() - self._others):
                return False
            self.spent += weight
            return True

    def report(self, used_weight: int, minute: int | None = None) -> None:
        """The weight that all clients used in `minute`, from the header of a reply to a request
        sent in that minute. Some of our own requests may not be counted in it yet, so others used
        at least the difference."""
        with self._lock:
            self._reset_if_new_minute()
            if minute in (None, self._minute):
                self._others = max(self._others, used_weight - self.spent)

    def used(self) -> int:
        """Weight used in this minute by all clients, as far as known."""
        with self._lock:
            self._reset_if_new_minute()
            return self.spent + self._others

    def seconds_to_next_minute(self) -> float:
        return 60 - self._clock() % 60

    def _total(self) -> float:
        return self.limit_per_minute * TOTAL_PERCENT / 100

    def _reset_if_new_minute(self) -> None:
        minute = self.minute
        if minute != self._minute:
            self._others_before = self._others if minute == self._minute + 1 else 0
            self._minute = minute
            self.spent = 0
            self._others = 0
