"""How long to wait before the next attempt. Reads no clock and does not sleep."""

import random
from collections.abc import Callable


class Backoff:
    """Delays that double from `first_seconds` to `max_seconds`, each shortened at random by up to a
    quarter, so that many clients do not retry in step. The number of attempts is not limited: an
    outage may last for days."""

    def __init__(
        self, first_seconds: float = 0.2, max_seconds: float = 30.0, rand: Callable[[], float] = random.random
    ) -> None:
        self._first = first_seconds
        self._max = max_seconds
        self._rand = rand
        self.attempts = 0

    def next_seconds(self) -> float:
        """Seconds to wait now; counts the attempt."""
        # 2**30 s is past any sensible maximum and keeps the power finite in an outage of weeks.
        ceiling = min(self._max, self._first * 2 ** min(self.attempts, 30))
        self.attempts += 1
        return ceiling * (1 - self._rand() / 4)

    def reset(self) -> None:
        """Start again from the first delay. Call it after a success."""
        self.attempts = 0
