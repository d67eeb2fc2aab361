"""What goes wrong with the requests, told quietly: one outage for a kind of request, however many
symbols it has, and one for the exchange as a whole. Knows names; knows no HTTP."""

import logging
from collections import defaultdict
from collections.abc import Container

from pipeline.outage import Outage
from pipeline.producer.client import Unreachable

EXCHANGE = "exchange"


class RequestOutages:
    """An outage is over once every job that failed has succeeded again, or is gone."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._outages: dict[str, Outage] = {}
        self._failing: defaultdict[str, set[str]] = defaultdict(set)

    def failed(self, kind: str, job_name: str, error: Exception, next_try_seconds: float) -> None:
        """`<kind>_unavailable` or, when nobody answers at all, `exchange_unavailable`."""
        what = EXCHANGE if isinstance(error, Unreachable) else kind
        self._failing[what].add(job_name)
        self._outages.setdefault(what, Outage(what, self._log)).failed(error, next_try_seconds)

    def succeeded(self, job_name: str) -> None:
        for what, failing in self._failing.items():
            failing.discard(job_name)
            if not failing:
                self._outages[what].over()

    def keep_only(self, job_names: Container[str]) -> None:
        """Forget the jobs that are no longer there."""
        for job_name in {name for failing in self._failing.values() for name in failing if name not in job_names}:
            self.succeeded(job_name)
