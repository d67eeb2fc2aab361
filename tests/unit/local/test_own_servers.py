"""Settings for somebody else's servers, and a stack that starts its own."""

import pytest

from local.own_servers import complaints
from pipeline.settings import load


def test_defaults_are_what_the_stack_has() -> None:
    assert complaints(load("local", {}, "/dev/null"), nodes=1) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASSANDRA_TLS", "verify-full"),
        ("PGSSLMODE", "require"),
        ("POSTGRES_USER", "manager"),
        ("CASSANDRA_ADMIN_USERNAME", "manager"),
        ("KAFKA_SECURITY_PROTOCOL", "SSL"),
        ("KAFKA_REPLICATION_FACTOR", "3"),
        ("CASSANDRA_REPLICATION_FACTOR", "2"),
    ],
)
def test_each_setting_for_other_servers_is_named(name: str, value: str) -> None:
    [line] = complaints(load("local", {name: value}, "/dev/null"), nodes=1)
    assert line.startswith(f"{name}={value}: this stack ")


def test_one_sslmode_that_the_stack_does_as_well_is_accepted() -> None:
    assert complaints(load("local", {"PGSSLMODE": "disable"}, "/dev/null"), nodes=1) == []
