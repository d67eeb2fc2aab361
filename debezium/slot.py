"""The replication slot, the publication and the captured tables as PostgreSQL reports them to the
connector's own role. Knows SQL; knows nothing of Kafka Connect."""

from dataclasses import dataclass

from psycopg2 import errors
from psycopg2.extensions import connection as Connection

from debezium.wal import LargeChange, large_changes
from pipeline import postgres
from pipeline.settings import Settings

SLOT = "crypto_slot"
PUBLICATION = "crypto_publication"
# Decoding a sample of the slot's next changes. A long stretch of WAL may take longer; the result is
# then unknown.
PEEK_TIMEOUT_MS = 10_000
PEEK_CHANGES = 1000
# Looking for a change that is too large: in what Debezium may have read since its last commit.
SEARCH_CHANGES = 100_000
SEARCH_TIMEOUT_MS = 30_000
HEAD_BYTES = 4000


@dataclass(frozen=True, slots=True)
class SlotState:
    """`wal_status` as in pg_replication_slots (reserved, extended, unreserved, lost), or `absent`.
    `lag_bytes`: WAL that the slot holds back. `confirmed_lsn`: everything before it is in Kafka.
    `current_lsn`: the end of the WAL.
    `snapshotting`: Debezium's role has had a transaction open for seconds, which is the sign of a
    snapshot. During one that was asked for by a signal, the slot stays active.
    `published`: the publication exists."""

    wal_status: str
    active: bool
    lag_bytes: int
    confirmed_lsn: int = 0
    current_lsn: int = 0
    snapshotting: bool = False
    published: bool = True

    @property
    def usable(self) -> bool:
        return self.wal_status not in ("lost", "absent")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a captured table, or the publication, cannot be captured correctly, and the command that
    helps. `kind` as in sql/060_captured_tables.sql."""

    captured: str
    kind: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.captured}: {self.problem}. Remedy: {self.remedy};"


class Slot:
    """The slot through one connection, which `close` closes. Every method may raise psycopg2
    errors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    @property
    def host(self) -> str:
        """The one of the settings' hosts that this connection reached."""
        return self._connection.info.host

    def state(self) -> SlotState:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
            [current_lsn] = cursor.fetchone()
            cursor.execute(
                "SELECT coalesce(wal_status, 'lost'), active, "
                "coalesce(coalesce(confirmed_flush_lsn, restart_lsn) - '0/0', 0)::bigint "
                "FROM pg_replication_slots WHERE slot_name = %s",
                (SLOT,),
            )
            wal_status, active, confirmed_lsn = cursor.fetchone() or ("absent", False, 0)
            cursor.execute(
                "SELECT count(*) > 0 FROM pg_stat_activity "
                "WHERE usename = 'crypto_debezium' AND xact_start < now() - interval '2 s' AND pid <> pg_backend_pid()"
            )
            in_transaction = cursor.fetchone()[0]
            cursor.execute("SELECT count(*) > 0 FROM pg_publication WHERE pubname = %s", (PUBLICATION,))
            published = cursor.fetchone()[0]
        return SlotState(
            wal_status,
            active,
            lag_bytes=current_lsn - confirmed_lsn if confirmed_lsn else 0,
            confirmed_lsn=confirmed_lsn,
            current_lsn=current_lsn,
            snapshotting=in_transaction,
            published=published,
        )

    def problems(self) -> list[Problem]:
        """Of every captured table and of the publication."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT captured, kind, problem, remedy FROM crypto_capture_problems() ORDER BY 1, 2")
            return [Problem(*row) for row in cursor.fetchall()]

    def published_tables(self) -> frozenset[str]:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT tablename FROM pg_publication_tables WHERE pubname = %s AND schemaname = 'public'",
                (PUBLICATION,),
            )
            return frozenset(name for (name,) in cursor.fetchall())

    def snapshot_tables(self) -> list[str]:
        """The captured tables that a snapshot may read: published, readable by this role, and with
        a name that is captured. A single table that cannot be read would end a snapshot of all."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT tablename FROM pg_publication_tables "
                "WHERE pubname = %s AND schemaname = 'public' AND tablename <> 'debezium_signal' "
                "AND NOT EXISTS (SELECT FROM crypto_table_problems(format('%%I.%%I', schemaname, tablename)::regclass) "
                "WHERE kind IN ('schema', 'name', 'columns', 'unreadable')) ORDER BY tablename",
                (PUBLICATION,),
            )
            return [name for (name,) in cursor.fetchall()]

    def large_changes(self, over_bytes: int) -> list[LargeChange]:
        """The changes of more than `over_bytes` that the slot holds back; empty when this cannot be
        checked now. Consumes nothing from the slot."""
        try:
            with self._connection, self._connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", (SEARCH_TIMEOUT_MS,))
                cursor.execute(
                    "SELECT lsn::text, octet_length(data),"
                    " CASE get_byte(data, 0) WHEN ascii('R') THEN data ELSE substring(data FOR %s) END"
                    " FROM pg_logical_slot_peek_binary_changes(%s, NULL, %s,"
                    " 'proto_version', '1', 'publication_names', %s)"
                    " WHERE octet_length(data) > %s OR get_byte(data, 0) = ascii('R')",
                    (HEAD_BYTES, SLOT, SEARCH_CHANGES, PUBLICATION, over_bytes),
                )
                found = ((lsn, size_bytes, bytes(data)) for lsn, size_bytes, data in cursor.fetchall())
                return list(large_changes(found, over_bytes))
        except (errors.ObjectInUse, errors.QueryCanceled, errors.UndefinedObject):
            return []

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


def open_slot(settings: Settings, program: str) -> Slot:
    """As the connector's own role, which may see and drop its slot. Raises PostgresUnavailable."""
    debezium = settings.override(PGUSER="crypto_debezium", PGPASSWORD=settings.DEBEZIUM_PASSWORD)
    return Slot(postgres.connect(debezium, program))
