"""A PostgreSQL that takes TLS only, and one whose administrator is no superuser, as services have
it."""

import time
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from local.stack import Stack
from pipeline import postgres
from pipeline.errors import PostgresUnavailable
from pipeline.schema import apply_postgres
from pipeline.settings import Settings, load
from tests.integration.secure.conftest import Secured

MANAGED = {"POSTGRES_USER": "manager", "POSTGRES_PASSWORD": "a secret", "PGDATABASE": "managed"}


@pytest.fixture(scope="module")
def settings(secured: Secured) -> Settings:
    found = secured.settings("producer")
    apply_postgres(found, 60)
    return found


def refusal(settings: Settings) -> str:
    began = time.monotonic()
    with pytest.raises(PostgresUnavailable) as refused:
        postgres.connect(settings, "test")
    assert time.monotonic() - began < 10
    assert "hidden" not in str(refused.value)
    return str(refused.value)


def test_server_proves_who_it_is(settings: Settings) -> None:
    with closing(postgres.connect(settings, "test")) as connection:
        assert connection.info.ssl_in_use


def test_authority_that_is_not_the_servers_is_named(secured: Secured, settings: Settings) -> None:
    assert "certificate verify failed" in refusal(settings.override(PGSSLROOTCERT=str(secured.certificates.wrong_ca)))


def test_name_that_the_certificate_does_not_bear_is_refused_unless_only_the_authority_counts(
    settings: Settings,
) -> None:
    elsewhere = settings.override(PGHOST="localhost")
    assert "does not match host name" in refusal(elsewhere)
    postgres.connect(elsewhere.override(PGSSLMODE="verify-ca"), "test").close()


def test_wrong_password_is_named(settings: Settings) -> None:
    assert 'password authentication failed for user "crypto_producer"' in refusal(
        settings.override(PGPASSWORD="hidden")
    )


def test_client_without_tls_is_refused(settings: Settings) -> None:
    assert "no encryption" in refusal(settings.override(PGSSLMODE="disable", PGSSLROOTCERT=""))


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """As on Amazon RDS: the administrator may make roles and databases, and may grant the role that
    stands for REPLICATION."""
    with Stack(tmp_path_factory.mktemp("managed"), ("postgres",)) as stack:
        own = load("schema", environ=stack.environ, dotenv="/dev/null")
        with closing(superuser(own)) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE ROLE rds_replication")
            cursor.execute("CREATE ROLE manager LOGIN CREATEROLE CREATEDB PASSWORD 'a secret'")
            cursor.execute("GRANT rds_replication TO manager WITH ADMIN OPTION")
            cursor.execute("CREATE DATABASE managed OWNER manager")
        yield own.override(**MANAGED)


def superuser(settings: Settings) -> psycopg2.extensions.connection:
    connection = postgres.connect(settings.override(PGUSER="postgres", PGPASSWORD="postgres"), "test")
    connection.autocommit = True
    return connection


def test_administrator_who_is_no_superuser_can_set_everything_up(
    managed: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        apply_postgres(managed, 30)
    with closing(superuser(managed)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role('crypto_debezium', 'rds_replication', 'member')")
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT count(*) FROM pg_publication_tables WHERE pubname = 'crypto_publication'")
        assert cursor.fetchone()[0] > 5
    with closing(postgres.connect(managed.override(PGUSER="crypto_reader", PGPASSWORD="crypto_reader"), "test")):
        pass
    assert {each.getMessage() for each in caplog.records if each.levelname == "WARNING"} == {"postgres_warning"}
    assert "no event trigger" in " ".join(str(vars(each).get("message_text")) for each in caplog.records)


def test_role_that_it_may_not_change_is_said_and_no_password_with_it(
    managed: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    apply_postgres(managed, 30)
    with closing(superuser(managed)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "REVOKE rds_replication FROM crypto_debezium; DROP OWNED BY rds_replication; DROP ROLE rds_replication"
        )
        cursor.execute("ALTER ROLE crypto_debezium REPLICATION")
    apply_postgres(managed.override(DEBEZIUM_PASSWORD="hidden"), 30)
    said = " ".join(str(vars(each).get("message_text")) for each in caplog.records)
    assert "role crypto_debezium is not set up" in said
    assert "LOGIN REPLICATION" in said
    assert "hidden" not in said
