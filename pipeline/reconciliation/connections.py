"""What a comparison needs, connected: PostgreSQL read-only, Cassandra as bytes, Redis, the stream's
positions. Knows roles; knows no rows."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from cassandra.cluster import Session
from kafka.errors import KafkaError
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from redis import Redis

from pipeline import cassandra_session, postgres, redis_client
from pipeline.errors import PostgresUnavailable, StoreUnavailable
from pipeline.reconciliation.cut import Stream, StreamStands
from pipeline.reconciliation.raw_protocol import as_they_come, read_raw
from pipeline.settings import Settings

# Rows of a large table are read for minutes.
NO_TIME_LIMIT = "-c statement_timeout=0"
PAGE_ROWS = 2000
REDIS_TIMEOUT_SECONDS = 3.0


class Sides:
    """`connection`: read-only; every transaction is one snapshot. `cassandra`: returns raw rows.
    `redis`: None where it is not used; it connects with its first command."""

    def __init__(self, connection: Connection, cassandra: Session, stream: Stream, redis: Redis | None = None) -> None:
        self.connection = connection
        self.cassandra = cassandra
        self.stream = stream
        self.redis = redis

    @contextmanager
    def snapshot(self) -> Iterator[Cursor]:
        """One state of PostgreSQL for all queries of the connection meanwhile."""
        with self.connection, self.connection.cursor() as cursor:
            yield cursor


@contextmanager
def open_sides(settings: Settings) -> Iterator[Sides]:
    """Raises PostgresUnavailable, StoreUnavailable or StreamStands, also when one of them is lost
    later."""
    with (
        closing(postgres.connect(settings, "reconcile", NO_TIME_LIMIT)) as connection,
        closing(postgres.connect(settings, "reconcile")) as positions,
    ):
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        session = cassandra_session.login(settings, "crypto_reader", settings.CASSANDRA_READER_PASSWORD, as_they_come)
        try:
            read_raw(session)
            session.default_fetch_size = PAGE_ROWS
            with closing(Stream(settings, positions)) as stream, redis_of(settings) as redis:
                yield Sides(connection, session, stream, redis)
        except postgres.UNAVAILABLE_ERRORS as error:
            raise PostgresUnavailable(f"PostgreSQL became unavailable: {error}") from error
        except cassandra_session.UNAVAILABLE_ERRORS as error:
            raise StoreUnavailable(f"Cassandra became unavailable: {error}") from error
        except KafkaError as error:
            raise StreamStands(f"Kafka became unavailable: {error}") from error
        finally:
            session.cluster.shutdown()


@contextmanager
def redis_of(settings: Settings) -> Iterator[Redis | None]:
    if not settings.REDIS_URL:
        yield None
        return
    with closing(redis_client.connect(settings, REDIS_TIMEOUT_SECONDS)) as redis:
        yield redis


def captured_tables(connection: Connection) -> set[str]:
    """The tables of schema public whose changes the publication sends whole."""
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute(
                "SELECT tablename FROM pg_publication_tables WHERE pubname = 'crypto_publication'"
                " AND schemaname = 'public' AND to_jsonb(pg_publication_tables)->>'rowfilter' IS NULL"
            )
        except psycopg2.errors.UndefinedTable as error:
            raise PostgresUnavailable(f"PostgreSQL lacks this project's tables: {error}") from error
        return {name for (name,) in cursor.fetchall()}
