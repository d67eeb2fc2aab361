"""A superuser's password that was changed in the settings after the database had been created."""

from collections.abc import Callable
from typing import Any

import pytest
from cassandra.cluster import NoHostAvailable

from pipeline import schema
from pipeline.cassandra_session import LoginRefused
from pipeline.errors import PostgresUnavailable, StoreUnavailable
from pipeline.settings import load

SOCKET_DIR = "/run/postgres-socket"


class Connection:
    """Records what is executed; usable as its own cursor."""

    def __init__(self) -> None:
        self.executed: list[tuple[str, object]] = []

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> "Connection":
        return self

    def execute(self, statement: str, parameters: object = None) -> None:
        self.executed.append((statement, parameters))


def connecting(accepted_hosts: set[str], connection: Connection, hosts: list[str]) -> Callable[..., Connection]:
    def connect(settings: Any, program: str) -> Connection:
        hosts.append(settings.PGHOST)
        assert settings.PGUSER == "postgres"
        if settings.PGHOST in accepted_hosts:
            return connection
        raise PostgresUnavailable(f"{settings.PGHOST}: refused")

    return connect


@pytest.fixture
def settings() -> Any:
    return load("schema", {"PGHOST": "db", "POSTGRES_PASSWORD": "new", "CASSANDRA_ADMIN_PASSWORD": "new"})


def admin(
    monkeypatch: pytest.MonkeyPatch, settings: Any, accepted: set[str], socket_dir: str | None
) -> tuple[Connection, list[str]]:
    connection = Connection()
    hosts: list[str] = []
    monkeypatch.setattr(schema.postgres, "connect", connecting(accepted, connection, hosts))
    found: object = schema.postgres_admin(settings, 0, socket_dir)
    assert found is connection
    return connection, hosts


def test_password_that_works_is_not_set_again(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    connection, hosts = admin(monkeypatch, settings, {"db", SOCKET_DIR}, SOCKET_DIR)
    assert (hosts, connection.executed) == (["db"], [])


def test_refused_password_is_set_through_the_socket(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    connection, hosts = admin(monkeypatch, settings, {SOCKET_DIR}, SOCKET_DIR)
    assert hosts == ["db", SOCKET_DIR]
    assert connection.executed == [("ALTER ROLE CURRENT_USER WITH PASSWORD %s", ("new",))]


@pytest.mark.parametrize("socket_dir", [None, SOCKET_DIR])
def test_without_a_way_in_the_error_is_that_of_the_password(
    monkeypatch: pytest.MonkeyPatch, settings: Any, socket_dir: str | None
) -> None:
    with pytest.raises(PostgresUnavailable, match="db: refused"):
        admin(monkeypatch, settings, set(), socket_dir)


def refused_by(error: Exception) -> StoreUnavailable:
    unavailable = StoreUnavailable("Cassandra at cassandra:9042")
    unavailable.__cause__ = NoHostAvailable("no host", {"cassandra:9042": error})
    return unavailable


@pytest.mark.parametrize(
    ("error", "is_explained"),
    [(LoginRefused("bad credentials"), True), (ConnectionRefusedError("refused"), False)],
)
def test_only_a_wrong_admin_password_is_answered_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch, settings: Any, error: Exception, is_explained: bool
) -> None:
    def login(*_: object) -> None:
        raise refused_by(error)

    monkeypatch.setattr(schema.cassandra_session, "login", login)
    with pytest.raises(StoreUnavailable) as raised:
        schema.admin_session(settings, 0)
    assert (str(raised.value) == schema.ADMIN_PASSWORD_REFUSED) is is_explained
