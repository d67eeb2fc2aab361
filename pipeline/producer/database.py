"""PostgreSQL for the producer: one connection, made again whenever it is lost, for as long as it
takes. Knows psycopg2's errors; knows nothing of what is written."""

import logging
from collections.abc import Callable
from typing import TypeVar

import psycopg2
from psycopg2.extensions import connection as Connection

from pipeline.backoff import Backoff
from pipeline.errors import PostgresUnavailable
from pipeline.outage import Outage
from pipeline.postgres import UNAVAILABLE_ERRORS
from pipeline.producer.upserts import Upserts
from pipeline.stopping import Stop

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Database:
    """Runs actions on the connection; each action is a transaction that may be repeated without
    harm."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._upserts: Upserts | None = None
        self._outage = Outage("postgres", log)

    def run(self, action: Callable[[Upserts], Result], stop: Stop) -> Result | None:
        """What `action` returns once PostgreSQL has committed it; None when a stop came first.
        Whether a commit that was cut off took place is not known, so the action is run again. Other
        database errors are raised."""
        backoff = Backoff(0.2, 5)
        while True:
            try:
                if self._upserts is None:
                    self._connection = self._connect()
                    self._upserts = Upserts(self._connection)
                result = action(self._upserts)
            except (PostgresUnavailable, psycopg2.Error) as error:
                if not self._is_lost(error):
                    raise
                self.close()
                delay = backoff.next_seconds()
                self._outage.failed(error, delay)
                if stop.wait(delay):
                    return None
            else:
                self._outage.over()
                return result

    def _is_lost(self, error: Exception) -> bool:
        """libpq calls some broken connections a plain DatabaseError; the connection itself knows
        better."""
        is_closed = self._connection is not None and bool(self._connection.closed)
        return is_closed or isinstance(error, (PostgresUnavailable, *UNAVAILABLE_ERRORS))

    def close(self) -> None:
        connection, self._connection, self._upserts = self._connection, None, None
        if connection is not None:
            try:
                connection.close()
            except UNAVAILABLE_ERRORS:
                pass  # it was gone already
