"""Asks Debezium for the current rows of tables, through its signal table. Knows PostgreSQL's side
of Debezium; knows nothing of where the rows go."""

import json
from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import uuid4

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pipeline import postgres
from pipeline.errors import PostgresUnavailable
from pipeline.settings import Settings

SLOT = "crypto_slot"
Answer = TypeVar("Answer")


def request_snapshot(cursor: Cursor, tables: Sequence[str]) -> str:
    """Asks for a snapshot of these tables alone. Returns a position in the write-ahead log behind
    the request: when Debezium has confirmed it, the snapshot is in Kafka.

    Blocking, not incremental: an incremental snapshot compares keys as text and skips a table with
    a time in its primary key (Debezium 3.7), and needs a primary key at all."""
    data = json.dumps({"data-collections": [f"public.{table}" for table in tables], "type": "blocking"})
    cursor.execute("INSERT INTO debezium_signal VALUES (%s, 'execute-snapshot', %s)", (uuid4().hex, data))
    cursor.execute("SELECT pg_current_wal_insert_lsn()")
    return str(cursor.fetchone()[0])


def has_confirmed(cursor: Cursor, lsn: str) -> bool:
    """Whether everything up to this position of the write-ahead log is in Kafka."""
    cursor.execute(
        "SELECT coalesce((SELECT confirmed_flush_lsn > %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s),"
        " false)",
        (lsn, SLOT),
    )
    return bool(cursor.fetchone()[0])


class SnapshotRequests:
    """Logs in as Debezium's own role, which may write signals and change no table of the market. A
    connection for each question: they are rare. Both methods raise PostgresUnavailable."""

    def __init__(self, settings: Settings, program: str) -> None:
        self._settings = settings.override(PGUSER="crypto_debezium", PGPASSWORD=settings.DEBEZIUM_PASSWORD)
        self._program = program

    def request(self, tables: Sequence[str]) -> str:
        return self._ask(lambda cursor: request_snapshot(cursor, tables))

    def is_sent(self, position: str) -> bool:
        return self._ask(lambda cursor: has_confirmed(cursor, position))

    def _ask(self, ask: Callable[[Cursor], Answer]) -> Answer:
        connection = postgres.connect(self._settings, self._program)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                return ask(cursor)
        except psycopg2.Error as error:  # a refusal too: the log shows it until it is solved
            raise PostgresUnavailable(str(error)) from error
        finally:
            connection.close()
