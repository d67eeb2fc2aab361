"""Request weight per minute, and the 429 and 418 windows that follow when it exceeds the limit.
Knows no HTTP and no clock.

Order for each call: an open window refuses it (a violation) → its weight is charged → exceeding the
limit opens a window."""

from collections import deque
from dataclasses import dataclass
from threading import Lock

from simulator.intervals import MINUTE_MS

MAX_MINUTES = 60
MAX_VIOLATIONS = 1_000


@dataclass(frozen=True, slots=True)
class BanRules:
    """After `tolerated_calls` inside a 429 window, the next call turns it into a ban (418) of
    `ban_seconds`."""

    ban_seconds: float = 120
    tolerated_calls: int = 3


DEFAULT_RULES = BanRules()


@dataclass(frozen=True, slots=True)
class Window:
    """Until `until_ms` every call is refused with `status`. A window that a fault opened never
    turns into a ban."""

    status: int
    until_ms: int
    from_fault: bool

    def retry_after_seconds(self, now_ms: int) -> int:
        return max(1, -(-(self.until_ms - now_ms) // 1000))


@dataclass(frozen=True, slots=True)
class Violation:
    """A call inside an open window."""

    time_ms: int
    path: str
    status: int


class Limiter:
    """Thread-safe."""

    def __init__(self, weight_limit: int) -> None:
        self.weight_limit = weight_limit
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        """The initial state: no weight, no window, no violations."""
        self._window: Window | None = None
        self._calls_in_window = 0
        self._weights: dict[int, int] = {}  # by the minute's start in ms, oldest first
        self.violations: deque[Violation] = deque(maxlen=MAX_VIOLATIONS)
        self.violation_count = 0
        self.max_used_weight = 0

    def admit(
        self, path: str, weight: int, now_ms: int, foreign_weight: int = 0, rules: BanRules = DEFAULT_RULES
    ) -> Window | None:
        """Charges the call. Returns the window that refuses it, or None. `foreign_weight`: the
        weight that other programs use."""
        with self._lock:
            window = self.window(now_ms)
            if window:
                return self._violated(window, path, now_ms, rules)
            minute_ms = now_ms - now_ms % MINUTE_MS
            self._weights[minute_ms] = self._weights.get(minute_ms, 0) + weight
            while len(self._weights) > MAX_MINUTES:
                del self._weights[next(iter(self._weights))]
            used = self._weights[minute_ms] + foreign_weight
            self.max_used_weight = max(self.max_used_weight, used)
            if used > self.weight_limit:
                return self._set_window(Window(429, minute_ms + MINUTE_MS, from_fault=False))
            return None

    def open_window(self, status: int, seconds: float, now_ms: int) -> Window:
        """Opens a window for a fault; it lasts exactly `seconds`, regardless of calls meanwhile."""
        with self._lock:
            return self._set_window(Window(status, now_ms + round(seconds * 1000), from_fault=True))

    def end_window(self) -> None:
        with self._lock:
            self._window = None

    def used(self, now_ms: int) -> int:
        """Weight charged in the current minute."""
        return self._weights.get(now_ms - now_ms % MINUTE_MS, 0)

    def minutes(self) -> list[tuple[int, int]]:
        """(start in ms, weight) of the last minutes in which there were calls."""
        return list(self._weights.items())

    def window(self, now_ms: int) -> Window | None:
        """The window that is open now."""
        return self._window if self._window and now_ms < self._window.until_ms else None

    def _set_window(self, window: Window) -> Window:
        self._window = window
        self._calls_in_window = 0
        return window

    def _violated(self, window: Window, path: str, now_ms: int, rules: BanRules) -> Window:
        self._calls_in_window += 1
        if window.status == 429 and not window.from_fault and self._calls_in_window > rules.tolerated_calls:
            window = self._set_window(Window(418, now_ms + round(rules.ban_seconds * 1000), from_fault=False))
        self.violation_count += 1
        self.violations.append(Violation(now_ms, path, window.status))
        return window
