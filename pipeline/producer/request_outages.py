"""Rate-limits the log lines of failed requests: one outage per kind of request, however many
symbols it has, and one for the exchange as a whole. Knows names; knows no HTTP."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Container

from pipeline.outage import Outage
from pipeline.producer.client import Unreachable

EXCHANGE = "exchange"


class RequestOutages:
    """An outage is over once every job that failed has succeeded again or was removed."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._outages: dict[str, Outage] = {}
        self._failing: defaultdict[str, set[str]] = defaultdict(set)

    def failed(self, kind: str, job_name: str, error: Exception, next_try_seconds: float) -> None:
        """Logs `<kind>_unavailable`, or `exchange_unavailable` if nothing answers."""
        name = EXCHANGE if isinstance(error, Unreachable) else kind
        self._failing[name].add(job_name)
        self._outages.setdefault(name, Outage(name, self._log, self._clock)).failed(error, next_try_seconds)

    def succeeded(self, job_name: str) -> None:
        for name, failing in self._failing.items():
            failing.discard(job_name)
            if not failing:
                self._outages[name].over()

    def keep_only(self, job_names: Container[str]) -> None:
        """Forget the jobs that were removed."""
        for job_name in {name for failing in self._failing.values() for name in failing if name not in job_names}:
            self.succeeded(job_name)
