"""Changes and questions to PostgreSQL: the steps of a plan, the snapshot's signal, how far
Debezium has read. Knows SQL and the slot; knows nothing of Cassandra."""

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import DEBEZIUM_ROLE, FULL, PUBLICATION, SourceTable, sql_name
from pipeline.snapshot_request import SLOT


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


def slot_is_read(cursor: Cursor) -> bool:
    """Whether a process reads Debezium's slot now, or Debezium takes a snapshot."""
    cursor.execute(
        "SELECT coalesce((SELECT active FROM pg_replication_slots WHERE slot_name = %s), false)"
        " OR EXISTS (SELECT FROM pg_stat_activity WHERE usename = %s AND xact_start IS NOT NULL)",
        (SLOT, DEBEZIUM_ROLE),
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
