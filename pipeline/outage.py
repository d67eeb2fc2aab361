"""Logs that a dependency is unavailable: at once, then every 30 s, then once when it has recovered.
Knows neither the dependency nor how long to wait: the caller does both."""

import logging
import time
from collections.abc import Callable

LOG_EVERY_SECONDS = 30.0


class Outage:
    """Counts the failures of one dependency and limits how often they are logged:
    `<name>_unavailable`, `<name>_recovered`."""

    def __init__(self, name: str, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._log = log
        self._clock = clock
        self._since: float | None = None
        self._logged_at = 0.0
        self.attempts = 0

    def failed(self, error: BaseException, next_try_seconds: float) -> None:
        """Call after every failure."""
        now = self._clock()
        self.attempts += 1
        if self._since is None:
            self._since = now
        elif now - self._logged_at < LOG_EVERY_SECONDS:
            return
        self._logged_at = now
        self._log.warning(
            f"{self._name}_unavailable",
            extra={"attempts": self.attempts, "next_try_s": round(next_try_seconds, 1), "error": str(error).strip()},
        )

    def over(self) -> None:
        """Call after every success; logs only when there was an outage."""
        if self._since is None:
            return
        down = round(self._clock() - self._since, 1)
        self._log.info(f"{self._name}_recovered", extra={"down_s": down, "attempts": self.attempts})
        self._since = None
        self.attempts = 0
