"""Drops the days of trades that are older than the retention, once an hour. Knows no SQL."""

import logging
import time
from collections.abc import Callable

import psycopg2

from pipeline.producer.database import Database
from pipeline.stopping import Stop

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 3600.0
RETRY_SECONDS = 60.0


class Housekeeping:
    """Due at the first call. A refusal by PostgreSQL is logged and retried, as rows can still be
    written."""

    def __init__(self, database: Database, kept_days: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._kept_days = kept_days
        self._clock = clock
        self._due_at = float("-inf")

    def run_if_due(self, stop: Stop) -> None:
        if self._clock() < self._due_at:
            return
        self._due_at = self._clock() + INTERVAL_SECONDS
        try:
            dropped = self._database.run(lambda session: session.trade_days.drop_old(self._kept_days), stop)
        except psycopg2.Error as error:
            self._due_at = self._clock() + RETRY_SECONDS
            log.error("trade_days_not_dropped", extra={"error": str(error).strip()})
            return
        if dropped:
            log.info("trade_days_dropped", extra={"days": dropped, "kept_days": self._kept_days})
