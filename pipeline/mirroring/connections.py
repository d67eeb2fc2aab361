"""The administrators' connections that mirror_table.py needs, from the same settings as
pipeline/schema.py. Knows no table."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg2
from cassandra.cluster import Session
from cassandra.query import dict_factory
from psycopg2.extensions import cursor as Cursor

from pipeline import cassandra_session, postgres
from pipeline.errors import PostgresUnavailable, StoreUnavailable
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.settings import Settings


class Connections(NamedTuple):
    """PostgreSQL with autocommit; Cassandra with rows as dicts."""

    postgres: Cursor
    cassandra: Session


@contextmanager
def open_connections(settings: Settings) -> Iterator[Connections]:
    """Raises PostgresUnavailable or StoreUnavailable."""
    admin = settings.override(PGUSER=settings.POSTGRES_USER, PGPASSWORD=settings.POSTGRES_PASSWORD)
    with closing(postgres.connect(admin, "mirror")) as connection:
        connection.autocommit = True
        session = cassandra_session.login(
            settings, settings.CASSANDRA_ADMIN_USERNAME, settings.CASSANDRA_ADMIN_PASSWORD, row_factory=dict_factory
        )
        try:
            with connection.cursor() as cursor:
                yield Connections(cursor, session)
        except (psycopg2.errors.UndefinedObject, psycopg2.errors.UndefinedTable) as error:
            raise MirrorRefused(
                f"PostgreSQL lacks this project's roles or tables ({error.diag.message_primary}): "
                "python3 -m pipeline.schema postgres"
            ) from error
        except postgres.UNAVAILABLE_ERRORS as error:
            raise PostgresUnavailable(f"PostgreSQL became unavailable; run this again: {error}") from error
        except cassandra_session.UNAVAILABLE_ERRORS as error:
            raise StoreUnavailable(f"Cassandra became unavailable; run this again: {error}") from error
        finally:
            session.cluster.shutdown()
