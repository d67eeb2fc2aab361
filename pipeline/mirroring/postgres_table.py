"""Changes and questions to PostgreSQL: the steps of a plan, the snapshot's signal, how far
Debezium has read. Knows SQL and the slot; knows nothing of Cassandra."""

import json
from uuid import uuid4

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import DEBEZIUM_ROLE, FULL, PUBLICATION, SourceTable, sql_name

SLOT = "crypto_slot"


def run_step(cursor: Cursor, statement: str) -> None:
    """Raises MirrorRefused with PostgreSQL's reason and hint."""
    try:
        cursor.execute(statement)
    except psycopg2.errors.LockNotAvailable as error:
        raise MirrorRefused(
            f"another transaction holds the table: {statement} waited 10 s. Run this again when it has ended"
        ) from error
    except psycopg2.Error as error:
        raise MirrorRefused(f"PostgreSQL refuses: {message_of(error)}. The statement: {statement}") from error


def message_of(error: psycopg2.Error) -> str:
    parts = (error.diag.message_primary or str(error).strip(), error.diag.message_detail, error.diag.message_hint)
    return ". ".join(part.rstrip(".") for part in parts if part)


def request_snapshot(cursor: Cursor, table: str) -> str:
    """Asks Debezium for a snapshot of this table alone. Returns a position in the write-ahead log
    behind the request: when Debezium has confirmed it, the snapshot is in Kafka.

    Blocking, not incremental: an incremental snapshot compares keys as text and skips a table with
    a time in its primary key (Debezium 3.7), and needs a primary key at all."""
    data = json.dumps({"data-collections": [f"public.{table}"], "type": "blocking"})
    signal = ("INSERT INTO debezium_signal VALUES (%s, 'execute-snapshot', %s)", (uuid4().hex, data))
    cursor.execute(*signal)
    cursor.execute("SELECT pg_current_wal_insert_lsn()")
    return str(cursor.fetchone()[0])


def slot_is_read(cursor: Cursor) -> bool:
    """Whether a process reads Debezium's slot now, or Debezium takes a snapshot."""
    cursor.execute(
        "SELECT coalesce((SELECT active FROM pg_replication_slots WHERE slot_name = %s), false)"
        " OR EXISTS (SELECT FROM pg_stat_activity WHERE usename = %s AND xact_start IS NOT NULL)",
        (SLOT, DEBEZIUM_ROLE),
    )
    return bool(cursor.fetchone()[0])


def has_confirmed(cursor: Cursor, lsn: str) -> bool:
    """Whether everything up to this position of the write-ahead log is in Kafka."""
    cursor.execute(
        "SELECT coalesce((SELECT confirmed_flush_lsn > %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s),"
        " false)",
        (lsn, SLOT),
    )
    return bool(cursor.fetchone()[0])


def unpublish(cursor: Cursor, source: SourceTable) -> None:
    run_step(cursor, f"ALTER PUBLICATION {PUBLICATION} DROP TABLE {sql_name(source.name)}")


def identity_remark(source: SourceTable) -> str:
    """How to undo REPLICA IDENTITY FULL, if it is set."""
    full = [table for table, identity in source.identities if identity == FULL]
    if not full:
        return ""
    return f"REPLICA IDENTITY FULL stays; without other readers: ALTER TABLE {full[0]} REPLICA IDENTITY DEFAULT"
