"""PostgreSQL for the producer: one connection, reopened whenever it is lost, without limit. Knows
psycopg2's errors; knows nothing of what is written."""

import logging
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import psycopg2
from psycopg2.extensions import connection as Connection

from pipeline.backoff import Backoff
from pipeline.errors import PostgresUnavailable
from pipeline.outage import Outage
from pipeline.postgres import UNAVAILABLE_ERRORS
from pipeline.producer.state import State
from pipeline.producer.trade_days import TradeDays
from pipeline.producer.upserts import Upserts
from pipeline.stopping import Stop

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Session(NamedTuple):
    """What an action can do on the connection."""

    upserts: Upserts
    state: State
    trade_days: TradeDays


class Database:
    """Runs actions on the connection; every action may be repeated without harm."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._session: Session | None = None
        self._outage = Outage("postgres", log)

    def run(self, action: Callable[[Session], Result], stop: Stop) -> Result | None:
        """What `action` returns once PostgreSQL has committed it; None if a stop came first. If the
        connection broke during a commit, it is unknown whether it took effect, so the action runs
        again. Other PostgreSQL errors are raised."""
        backoff = Backoff(0.2, 5)
        while True:
            try:
                result = action(self._open())
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

    def _open(self) -> Session:
        if self._session is None:
            self._connection = self._connect()
            trade_days = TradeDays(self._connection)
            self._session = Session(Upserts(self._connection, trade_days), State(self._connection), trade_days)
        return self._session

    def _is_lost(self, error: Exception) -> bool:
        """libpq raises a plain DatabaseError for some broken connections; `closed` is set for these
        too."""
        is_closed = self._connection is not None and bool(self._connection.closed)
        return is_closed or isinstance(error, (PostgresUnavailable, *UNAVAILABLE_ERRORS))

    def close(self) -> None:
        connection = self._connection
        self._connection = None
        self._session = None
        if connection is not None:
            try:
                connection.close()
            except UNAVAILABLE_ERRORS:
                pass  # it was closed already
