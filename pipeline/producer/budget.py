"""How much request weight may still be spent in this minute. Knows no HTTP and no schedule. The
exchange counts weight per IP address and minute of its own clock (facts: binance.md); others may
share the address."""

import threading
import time
from collections.abc import Callable

# The exchange's limit as documented since 2023; replaced by what exchangeInfo says.
USUAL_LIMIT_PER_MINUTE = 6000
# Of the whole limit, everybody on this address together: the rest is room for what others do
# meanwhile.
ALL_TOGETHER_PERCENT = 90


class Budget:
    """Our spending stays under `percent` of the limit, and all spending on this address under
    ALL_TOGETHER_PERCENT.
    `clock`: the exchange's time in seconds, as far as known. Thread-safe."""

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
        """The number of the current minute; a request's reply reports the weight of the minute it
        was sent in."""
        return int(self._clock() // 60)

    @property
    def per_minute(self) -> float:
        """The weight we may spend in a minute when nobody else uses this address."""
        return self.limit_per_minute * self._percent / 100

    def available_per_minute(self) -> float:
        """The weight to plan with, as others used this address in this minute and the last."""
        with self._lock:
            self._turn()
            return max(0.0, min(self.per_minute, self._together() - max(self._others, self._others_before)))

    def take(self, weight: int, kept_per_minute: float = 0.0) -> bool:
        """Spend `weight` if it is left in this minute, beside `kept_per_minute` × the rest of the
        minute for requests that are more urgent."""
        with self._lock:
            self._turn()
            kept = kept_per_minute * self.seconds_to_next_minute() / 60
            if self.spent + weight + kept > min(self.per_minute, self._together() - self._others):
                return False
            self.spent += weight
            return True

    def report(self, used_weight: int, minute: int | None = None) -> None:
        """What a reply's header said is used by everybody in the minute in which its request was
        sent. What we have spent may not have arrived there yet, so what others use is at least the
        difference."""
        with self._lock:
            self._turn()
            if minute in (None, self._minute):
                self._others = max(self._others, used_weight - self.spent)

    def used(self) -> int:
        """Weight used in this minute by everybody, as far as known."""
        with self._lock:
            self._turn()
            return self.spent + self._others

    def seconds_to_next_minute(self) -> float:
        return 60 - self._clock() % 60

    def _together(self) -> float:
        return self.limit_per_minute * ALL_TOGETHER_PERCENT / 100

    def _turn(self) -> None:
        minute = self.minute
        if minute != self._minute:
            self._others_before = self._others if minute == self._minute + 1 else 0
            self._minute = minute
            self.spent = 0
            self._others = 0
