"""Connections to the PostgreSQL of a benchmark's stack. Knows no table."""

from collections.abc import Mapping

from psycopg2.extensions import connection as Connection

from pipeline import postgres
from pipeline.settings import load


def connect(environ: Mapping[str, str], superuser: bool = False) -> Connection:
    """With autocommit and without a time limit for statements; as the producer's role, which writes
    the five tables, or as the superuser. `environ`: the stack's."""
    settings = load("producer", environ=environ, dotenv="/dev/null")
    if superuser:
        settings = settings.override(PGUSER="postgres", PGPASSWORD=settings.POSTGRES_PASSWORD)
    connection = postgres.connect(settings, "bench", "-c statement_timeout=0")
    connection.autocommit = True
    return connection
