"""The replication slot and the heartbeat as PostgreSQL reports them. Knows SQL; knows nothing of
Kafka Connect."""

from dataclasses import dataclass

from psycopg2 import errors
from psycopg2.extensions import connection as Connection

SLOT = "crypto_slot"
PUBLICATION = "crypto_publication"
# Decoding a sample of the slot's next changes. A long stretch of WAL may take longer; the result is
# then unknown.
PEEK_TIMEOUT_MS = 10_000
PEEK_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class SlotState:
    """`wal_status` as in pg_replication_slots (reserved, extended, unreserved, lost), or `absent`.
    `lag_bytes`: WAL that the slot holds back. `heartbeat_age_seconds`: since Debezium last wrote
    its row; None before the first time.
    `snapshotting`: Debezium's role has a transaction open and no process reads the slot, which is
    the sign of a snapshot.
    `published`: the publication exists."""

    wal_status: str
    active: bool
    lag_bytes: int
    heartbeat_age_seconds: float | None
    snapshotting: bool = False
    published: bool = True

    @property
    def usable(self) -> bool:
        return self.wal_status not in ("lost", "absent")


class Slot:
    """The slot through one connection, which `close` closes. Every method may raise psycopg2
    errors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    def state(self) -> SlotState:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM now() - ts)::float8 FROM debezium_heartbeat")
            heartbeat = cursor.fetchone()
            cursor.execute(
                "SELECT coalesce(wal_status, 'lost'), active, "
                "coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), "
                "coalesce(confirmed_flush_lsn, restart_lsn)), 0)::bigint "
                "FROM pg_replication_slots WHERE slot_name = %s",
                (SLOT,),
            )
            wal_status, active, lag_bytes = cursor.fetchone() or ("absent", False, 0)
            cursor.execute(
                "SELECT count(*) > 0 FROM pg_stat_activity "
                "WHERE usename = 'crypto_debezium' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            )
            in_transaction = cursor.fetchone()[0]
            cursor.execute("SELECT count(*) > 0 FROM pg_publication WHERE pubname = %s", (PUBLICATION,))
            published = cursor.fetchone()[0]
        return SlotState(
            wal_status,
            active,
            lag_bytes,
            heartbeat_age_seconds=heartbeat[0] if heartbeat else None,
            snapshotting=in_transaction and not active,
            published=published,
        )

    def decoding_error(self) -> str:
        """Why the changes that the slot holds back can never be decoded; empty when they can, or
        when this cannot be checked now.

        A row that changed while the publication was missing makes PostgreSQL (before 18) refuse
        everything that follows, even after the publication was created again: the decoder uses the
        catalog of that time. Debezium keeps retrying, reports RUNNING, and no restart helps. The
        check consumes nothing from the slot."""
        try:
            with self._connection, self._connection.cursor() as cursor:
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

    def drop(self) -> None:
        """Drop the slot if it exists and no process reads it."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                "WHERE slot_name = %s AND NOT active",
                (SLOT,),
            )
