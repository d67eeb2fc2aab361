"""Connections to PostgreSQL, and which of its errors mean that it is unavailable. Knows nothing of
tables."""

import psycopg2
from psycopg2.extensions import connection as Connection

from pipeline.errors import PostgresUnavailable
from pipeline.settings import Settings

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
