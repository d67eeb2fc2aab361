"""Every password that the settings name, changed twice: the new one works, the old one does not.
Grafana's is missing: it is no Grafana that runs here (docs/requirements.md has its command)."""

from collections.abc import Iterator

import psycopg2
import pytest

from pipeline import cassandra_session
from pipeline.errors import StoreUnavailable
from pipeline.settings import load
from tests.compose.compose import Compose
from tests.support.waiting import wait_until

POSTGRES = {
    "POSTGRES_PASSWORD": "postgres",
    "PRODUCER_PASSWORD": "crypto_producer",
    "DEBEZIUM_PASSWORD": "crypto_debezium",
    "READER_PASSWORD": "crypto_reader",
}
CASSANDRA = {
    "CASSANDRA_ADMIN_PASSWORD": "cassandra",
    "CASSANDRA_WRITER_PASSWORD": "crypto_writer",
    "CASSANDRA_READER_PASSWORD": "crypto_reader",
}
ROLES = POSTGRES | CASSANDRA
ONE_SHOTS = ("postgres-schema", "cassandra-schema")


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    with Compose() as project:
        project("build", *ONE_SHOTS, timeout_seconds=900)
        yield project


def start(compose: Compose, passwords: dict[str, str]) -> None:
    compose.environ.update(passwords)
    compose.plain("up", "--detach", *ONE_SHOTS)


def finish(compose: Compose) -> None:
    for name in ONE_SHOTS:
        wait_until(compose.ended_with_0(name), 180, f"{name} done")


def logs_in_to_postgres(compose: Compose, role: str, password: str) -> bool:
    """By the host port, for which PostgreSQL asks for a password."""
    try:
        psycopg2.connect(
            host="127.0.0.1", port=compose.ports["PGPORT"], dbname="market", user=role, password=password
        ).close()
    except psycopg2.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        return False
    return True


def logs_in_to_cassandra(compose: Compose, role: str, password: str) -> bool:
    settings = load(
        "schema", {"CASSANDRA_PORT": compose.ports["CASSANDRA_PORT"], "CASSANDRA_CONTACT_POINTS": "127.0.0.1"}
    )
    try:
        cassandra_session.login(settings, role, password).cluster.shutdown()
    except StoreUnavailable:
        # Not always with the reason: while the old password is still cached for some connections,
        # the driver only says that it reached no host. A Cassandra that is unavailable does not
        # pass for refusing: the new passwords must be accepted at the same time.
        return False
    return True


def works(compose: Compose, setting: str, password: str) -> bool:
    login = logs_in_to_postgres if setting in POSTGRES else logs_in_to_cassandra
    return login(compose, ROLES[setting], password)


def wait_for_passwords(compose: Compose, works_now: dict[str, str], works_no_longer: dict[str, str]) -> None:
    """Cassandra may check a login against a cached password for two seconds."""

    def changed() -> object:
        refused = [name for name, password in works_now.items() if not works(compose, name, password)]
        accepted = [name for name, password in works_no_longer.items() if works(compose, name, password)]
        return not (refused or accepted) or {"refused": refused, "accepted": accepted}

    wait_until(changed, 15, "the new passwords, and only those")


def passwords(number: str) -> dict[str, str]:
    """With the characters that need quoting in SQL and CQL."""
    return {name: f'{name}\'s; "{number}" 100%' for name in ROLES}


def test_every_password_follows_the_settings_twice(compose: Compose) -> None:
    first, second = passwords("first"), passwords("second")
    start(compose, {})
    finish(compose)
    wait_for_passwords(compose, works_now=ROLES, works_no_longer={})

    start(compose, first)
    finish(compose)
    wait_for_passwords(compose, works_now=first, works_no_longer=ROLES)

    start(compose, second)
    change_cassandra_admin_by_hand(compose, first["CASSANDRA_ADMIN_PASSWORD"], second["CASSANDRA_ADMIN_PASSWORD"])
    finish(compose)
    wait_for_passwords(compose, works_now=second, works_no_longer=first)


def change_cassandra_admin_by_hand(compose: Compose, old: str, new: str) -> None:
    """What the log of cassandra-schema says, typed; it then goes on by itself."""
    command = "docker compose exec cassandra cqlsh -u cassandra"
    wait_until(lambda: command in compose("logs", "--no-log-prefix", "cassandra-schema"), 120, "the command in the log")
    quoted = new.replace("'", "''")
    statement = f"ALTER ROLE cassandra WITH PASSWORD = '{quoted}'"
    compose.plain("exec", "-T", "cassandra", "cqlsh", "-u", "cassandra", "-p", old, "-e", statement)
