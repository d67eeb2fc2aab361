"""How long to wait before the next attempt. Knows no clock and sleeps for nobody."""

import random
from collections.abc import Callable


class Backoff:
    """Delays that double from `first_seconds` to `longest_seconds`, each shortened at random by up
    to a quarter, so that many clients do not come back in step. No limit on attempts: an outage
    lasts as long as it lasts."""

    def __init__(
        self, first_seconds: float = 0.2, longest_seconds: float = 30.0, rand: Callable[[], float] = random.random
    ) -> None:
        self._first = first_seconds
        self._longest = longest_seconds
        self._rand = rand
        self.attempts = 0

    def next_seconds(self) -> float:
        """Seconds to wait now; counts the attempt."""
        # 2**30 s is past any sensible maximum and keeps the power finite in an outage of weeks.
        ceiling = min(self._longest, self._first * 2 ** min(self.attempts, 30))
        self.attempts += 1
        return ceiling * (1 - self._rand() / 4)

    def reset(self) -> int:
        """Start again after a success. Returns how many attempts had failed."""
        failed, self.attempts = self.attempts, 0
        return failed
