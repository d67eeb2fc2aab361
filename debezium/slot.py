"""The replication slot and the heartbeat as PostgreSQL sees them. Knows SQL; knows nothing of
Connect."""

from dataclasses import dataclass

from psycopg2 import errors
from psycopg2.extensions import connection as Connection

SLOT = "crypto_slot"
PUBLICATION = "crypto_publication"
# A look at the slot's next changes; reading a long stretch of WAL may take longer, and then says
# nothing.
PEEK_TIMEOUT_MS = 10_000
PEEK_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class SlotState:
    """`wal_status` as in pg_replication_slots (reserved, extended, unreserved, lost), or `absent`.
    `lag_bytes`: WAL that the slot holds back. `heartbeat_age_seconds`: since Debezium last wrote
    its row; None before the first time.
    `snapshotting`: its role has a transaction open and nobody reads the slot, which is how a
    snapshot looks.
    `published`: the publication is there."""

    wal_status: str
    active: bool
    lag_bytes: int
    heartbeat_age_seconds: float | None
    snapshotting: bool = False
    published: bool = True

    @property
    def usable(self) -> bool:
        return self.wal_status not in ("lost", "absent")


def slot_state(connection: Connection) -> SlotState:
    """Raises psycopg2 errors."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - ts)::float8 FROM debezium_heartbeat")
        beat = cursor.fetchone()
        cursor.execute(
            "SELECT coalesce(wal_status, 'lost'), active, "
            "coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(confirmed_flush_lsn, restart_lsn)), 0)::bigint "
            "FROM pg_replication_slots WHERE slot_name = %s",
            (SLOT,),
        )
        found = cursor.fetchone() or ("absent", False, 0)
        cursor.execute(
            "SELECT count(*) > 0 FROM pg_stat_activity "
            "WHERE usename = 'crypto_debezium' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        reading = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) > 0 FROM pg_publication WHERE pubname = %s", (PUBLICATION,))
        published = cursor.fetchone()[0]
    return SlotState(*found, beat[0] if beat else None, reading and not found[1], published)


def unreadable(connection: Connection) -> str:
    """Why the changes that the slot holds back can never be decoded; empty when they can, or cannot
    be looked at now.

    A row that changed while the publication was missing makes PostgreSQL (before 18) refuse all
    that follows, even after the publication was made again: the decoder sees the catalog as it was
    then. Debezium goes on trying, says RUNNING, and no restart helps. Nothing is taken from the
    slot by looking."""
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", (PEEK_TIMEOUT_MS,))
            cursor.execute(
                "SELECT count(*) FROM pg_logical_slot_peek_binary_changes(%s, NULL, %s,"
                " 'proto_version', '1', 'publication_names', %s)",
                (SLOT, PEEK_CHANGES, PUBLICATION),
            )
    except errors.UndefinedObject as error:
        return error.diag.message_primary or str(error)
    except (errors.ObjectInUse, errors.QueryCanceled):
        return ""
    return ""


def drop_slot(connection: Connection) -> None:
    """Drop the slot if it is there and nobody reads from it."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active",
            (SLOT,),
        )
