"""Connections to PostgreSQL, and which of its errors mean that it is unavailable. Knows nothing of
tables."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import psycopg2
from psycopg2.extensions import connection as Connection

from pipeline.backoff import Backoff
from pipeline.errors import PostgresUnavailable
from pipeline.outage import Outage
from pipeline.settings import Settings
from pipeline.stopping import Stop

log = logging.getLogger(__name__)
Session = TypeVar("Session")
Result = TypeVar("Result")

# Every form of a lost or refused connection. A violated constraint is not among them: it is a bug
# and must be seen.
UNAVAILABLE_ERRORS = (psycopg2.OperationalError, psycopg2.InterfaceError)


def connect(settings: Settings, program: str, options: str = "") -> Connection:
    """A connection with short time-outs, so that an unreachable server is noticed within
    seconds. Raises PostgresUnavailable."""
    try:
        return psycopg2.connect(
            host=settings.PGHOST,
            port=settings.PGPORT,
            dbname=settings.PGDATABASE,
            user=settings.PGUSER,
            password=settings.PGPASSWORD,
            sslmode=settings.PGSSLMODE,
            sslrootcert=settings.PGSSLROOTCERT or None,
            application_name=f"crypto-{program}",
            connect_timeout=5,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=20_000,  # a host that vanishes in the middle of a write
            options=f"-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=10000 {options}",
        )
    except UNAVAILABLE_ERRORS as error:
        raise PostgresUnavailable(f"PostgreSQL at {settings.PGHOST}:{settings.PGPORT}: {error}") from error


class Database(Generic[Session]):
    """One connection, opened again whenever it is lost, without limit. Runs actions on the session
    that `open_session` makes of it; every action may be repeated without harm."""

    def __init__(self, connect: Callable[[], Connection], open_session: Callable[[Connection], Session]) -> None:
        self._connect = connect
        self._open_session = open_session
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
            self._session = self._open_session(self._connection)
        return self._session

    def _is_lost(self, error: Exception) -> bool:
        """libpq raises a plain DatabaseError for some broken connections; `closed` is set for these
        too."""
        is_closed = self._connection is not None and bool(self._connection.closed)
        return is_closed or isinstance(error, (PostgresUnavailable, *UNAVAILABLE_ERRORS))

    def close(self) -> None:
        connection, self._connection, self._session = self._connection, None, None
        if connection is not None:
            try:
                connection.close()
            except UNAVAILABLE_ERRORS:
                pass  # it was closed already
