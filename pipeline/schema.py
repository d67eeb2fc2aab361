"""Applies sql/ to PostgreSQL or cql/ to Cassandra: `python3 -m pipeline.schema postgres|cassandra`.
Re-runnable; waits for the server. Logs in as an administrator, which no other program needs."""

import argparse
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from cassandra.cluster import NoHostAvailable, Session
from psycopg2.extensions import connection as Connection

from pipeline import cassandra_session, logs, postgres, program
from pipeline.connecting import until_connected
from pipeline.errors import PipelineError, PostgresUnavailable, StoreUnavailable
from pipeline.login_replication import replicate_logins
from pipeline.settings import Settings, load
from pipeline.stopping import Stop

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
# The superuser of a new Cassandra cluster.
CASSANDRA_INITIAL_USERNAME = CASSANDRA_INITIAL_PASSWORD = "cassandra"
# A server that is starting is tried this often, so that the services that wait for it start soon.
MAX_PAUSE_SECONDS = 0.5
ADMIN_PASSWORD_REFUSED = (
    "Cassandra refuses CASSANDRA_ADMIN_PASSWORD: it was changed in the settings, not yet in Cassandra. "
    "Type `docker compose exec cassandra cqlsh -u cassandra`, the old password, and then "
    "ALTER ROLE cassandra WITH PASSWORD = 'the new password';"
)
Connected = TypeVar("Connected")


def cql_statements(text: str, keyspace: str, passwords: Mapping[str, str], copies: int = 1) -> Iterator[str]:
    """The statements of a CQL file without comments, with `keyspace` in place of `crypto`,
    `passwords` (by role) in place of the development passwords, and `copies` in each data
    centre."""
    text = re.sub(r"^\s*--.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\b(KEYSPACE(?: IF NOT EXISTS)?|USE) crypto\b", rf"\1 {keyspace}", text)
    text = text.replace("'replication_factor': 1}", f"'replication_factor': {copies}}}")
    for role, password in passwords.items():
        quoted = password.replace("'", "''")
        text = text.replace(
            f"ROLE IF NOT EXISTS {role} WITH PASSWORD = '{role}'",
            f"ROLE IF NOT EXISTS {role} WITH PASSWORD = '{quoted}'",
        )
    return (statement.strip() for statement in text.split(";\n") if statement.strip())


def connected_within(wait_seconds: float, name: str, connect: Callable[[], Connected]) -> Connected:
    """The first connection that succeeds. Raises the last error after `wait_seconds`."""
    connection = until_connected(
        name,
        connect,
        Stop(),
        retry_on=(PostgresUnavailable, StoreUnavailable),
        max_wait_seconds=wait_seconds,
        max_pause_seconds=MAX_PAUSE_SECONDS,
    )
    assert connection is not None, "only a requested stop ends the wait without a connection"
    return connection


def postgres_admin(settings: Settings, wait_seconds: float, socket_dir: str | None) -> Connection:
    """A connection as the superuser. POSTGRES_PASSWORD takes effect only for a new volume; a
    password that was changed later is set through the socket in `socket_dir`, which asks for none.
    Raises PostgresUnavailable."""
    admin = settings.override(PGUSER=settings.POSTGRES_USER, PGPASSWORD=settings.POSTGRES_PASSWORD)

    def connect() -> Connection:
        try:
            return postgres.connect(admin, "schema")
        except PostgresUnavailable as refused:
            if socket_dir is None:
                raise
            try:
                connection = postgres.connect(admin.override(PGHOST=socket_dir, PGPORT=5432), "schema")
            except PostgresUnavailable:
                raise refused from None
        with connection, connection.cursor() as cursor:
            cursor.execute("ALTER ROLE CURRENT_USER WITH PASSWORD %s", (settings.POSTGRES_PASSWORD,))
        return connection

    return connected_within(wait_seconds, "postgres", connect)


def apply_postgres(settings: Settings, wait_seconds: float, socket_dir: str | None = None) -> list[str]:
    """Runs each file of sql/ in its own transaction. Returns the names of the files."""
    passwords = {
        "crypto.producer_password": settings.PRODUCER_PASSWORD,
        "crypto.forecaster_password": settings.FORECASTER_PASSWORD,
        "crypto.auditor_password": settings.AUDITOR_PASSWORD,
        "crypto.debezium_password": settings.DEBEZIUM_PASSWORD,
        "crypto.reader_password": settings.READER_PASSWORD,
    }
    connection = postgres_admin(settings, wait_seconds, socket_dir)
    files = sorted((ROOT / "sql").glob("*.sql"))
    try:
        for file in files:
            with connection, connection.cursor() as cursor:
                for name, value in passwords.items():
                    cursor.execute("SELECT set_config(%s, %s, true)", (name, value))
                cursor.execute(file.read_text(encoding="utf-8"))
            log_warnings(connection.notices)
    finally:
        connection.close()
    return [file.name for file in files]


def log_warnings(notices: list[str]) -> None:
    """What PostgreSQL warned of, e.g. that this role may not create an event trigger. Empties the
    list."""
    for notice in notices:
        if notice.startswith("WARNING:"):
            log.warning("postgres_warning", extra={"message_text": " ".join(notice.split())})
    notices.clear()


def admin_session(settings: Settings, wait_seconds: float) -> Session:
    """A session of the administrator. A new cluster accepts cassandra/cassandra only; if the
    settings name another password, it is set here, so that the well-known one stops working. A
    later change has to be made in Cassandra, which asks for the old password. Raises
    StoreUnavailable."""
    initial = (CASSANDRA_INITIAL_USERNAME, CASSANDRA_INITIAL_PASSWORD)
    wanted = (settings.CASSANDRA_ADMIN_USERNAME, settings.CASSANDRA_ADMIN_PASSWORD)

    def connect() -> Session:
        try:
            return cassandra_session.login(settings, *wanted)
        except PipelineError:
            if wanted == initial or wanted[0] != CASSANDRA_INITIAL_USERNAME:
                raise
        try:
            session = cassandra_session.login(settings, *initial)
        except StoreUnavailable as error:
            if is_wrong_password(error):
                raise StoreUnavailable(ADMIN_PASSWORD_REFUSED) from error
            raise
        session.execute("ALTER ROLE cassandra WITH PASSWORD = %s", (settings.CASSANDRA_ADMIN_PASSWORD,))
        return session

    return connected_within(wait_seconds, "cassandra", connect)


def is_wrong_password(error: StoreUnavailable) -> bool:
    """Whether Cassandra answered and refused the login."""
    cause = error.__cause__
    return isinstance(cause, NoHostAvailable) and any(
        isinstance(each, cassandra_session.LoginRefused) for each in cause.errors.values()
    )


def ensure_password(settings: Settings, admin: Session, role: str, password: str) -> None:
    """Set the role's password if it differs: CREATE ROLE IF NOT EXISTS leaves the password of an
    existing role unchanged. Not by ALTER every time: Cassandra refuses a second change within five
    seconds."""
    try:
        cassandra_session.login(settings, role, password).cluster.shutdown()
    except PipelineError:
        admin.execute(f"ALTER ROLE {role} WITH PASSWORD = %s", (password,))


def warn_of_replication(session: Session, settings: Settings) -> None:
    """CREATE KEYSPACE IF NOT EXISTS leaves an existing keyspace as it is. To change it here would
    not be enough: the new copies are empty until a repair."""
    keyspace, wanted = settings.CASSANDRA_KEYSPACE, settings.CASSANDRA_REPLICATION_FACTOR
    replication = session.cluster.metadata.keyspaces[keyspace].replication_strategy.export_for_schema()
    found = {int(copies) for copies in re.findall(r"'[^']+': '(\d+)'", replication)}
    if found != {wanted}:
        remedy = f"ALTER KEYSPACE {keyspace}, then nodetool repair --full {keyspace} on every node"
        log.warning("keyspace_replication", extra={"found": replication, "wanted": wanted, "remedy": remedy})


def apply_cassandra(settings: Settings, wait_seconds: float) -> list[str]:
    """Runs every statement of cql/, with the roles' passwords from the settings. Returns the names
    of the files."""
    passwords = {
        "crypto_writer": settings.CASSANDRA_WRITER_PASSWORD,
        "crypto_reader": settings.CASSANDRA_READER_PASSWORD,
    }
    session = admin_session(settings, wait_seconds)
    files = sorted((ROOT / "cql").glob("*.cql"))
    try:
        replicate_logins(session, settings)
        for file in files:
            text, copies = file.read_text(encoding="utf-8"), settings.CASSANDRA_REPLICATION_FACTOR
            for statement in cql_statements(text, settings.CASSANDRA_KEYSPACE, passwords, copies):
                session.execute(statement, timeout=60)
        warn_of_replication(session, settings)
        for role, password in passwords.items():
            ensure_password(settings, session, role, password)
    finally:
        session.cluster.shutdown()
    return [file.name for file in files]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m pipeline.schema", description=__doc__)
    parser.add_argument("database", choices=("postgres", "cassandra"))
    parser.add_argument("--wait-seconds", type=float, default=120, help="how long to wait for the server (120)")
    parser.add_argument(
        "--socket-dir", help="where PostgreSQL's socket is, to change a refused superuser password there"
    )
    options = parser.parse_args()
    settings = load("schema")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)  # an outage is logged once, by its name
    if options.database == "postgres":
        files = apply_postgres(settings, options.wait_seconds, options.socket_dir)
    else:
        files = apply_cassandra(settings, options.wait_seconds)
    for name in files:
        print(f"schema: {options.database} {name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("schema", main))
