"""examples/managed: each overlay of the compose file takes one server out and gives everyone who
needs it the other address."""

from typing import Any

import pytest
import yaml

from tests.support.program import ROOT

BASE: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
# Overlay: its server, what only its clients are given, the variable with the address.
OVERLAYS = {
    "kafka": ("kafka", ("KAFKA_SECURITY_PROTOCOL",), "KAFKA_BOOTSTRAP_SERVERS"),
    "cassandra": (
        "cassandra",
        tuple(f"CASSANDRA_{who}PASSWORD" for who in ("", "WRITER_", "READER_", "ADMIN_")),
        "CASSANDRA_CONTACT_POINTS",
    ),
    "postgres": ("postgres", ("PGPASSWORD", "POSTGRES_PASSWORD", "DEBEZIUM_PASSWORD"), "PGHOST"),
}
RESET = "(reset)"


class Loader(yaml.SafeLoader):
    """Knows Compose's `!reset`."""


Loader.add_constructor("!reset", lambda _loader, _node: RESET)


def overlay(name: str) -> dict[str, Any]:
    text = (ROOT / "examples" / "managed" / f"{name}.yml").read_text(encoding="utf-8")
    return yaml.load(text, Loader)["services"]


@pytest.mark.parametrize("name", sorted(OVERLAYS))
def test_every_client_is_given_the_other_address(name: str) -> None:
    server, given, address = OVERLAYS[name]
    # Connect gets PostgreSQL's address from the connector; that Grafana has it in a file.
    elsewhere = {server, "grafana-cassandra"} | ({"connect"} if name == "postgres" else set())
    clients = {n for n, found in BASE.items() if set(given) & set(found.get("environment", {}))} - elsewhere
    changed = {n: found for n, found in overlay(name).items() if n != server}
    assert set(changed) == clients
    for service, found in changed.items():
        wanted = "BOOTSTRAP_SERVERS" if service == "connect" else address
        assert f"${{{address}" in found["environment"][wanted]


@pytest.mark.parametrize("name", [*sorted(OVERLAYS), "redis"])
def test_server_is_taken_out_and_nobody_waits_for_it(name: str) -> None:
    found = overlay(name)
    assert found[name] == RESET
    waiting = {service for service, each in BASE.items() if name in each.get("depends_on", {})}
    assert {service for service, each in found.items() if each != RESET and each.get("depends_on")} == waiting
    assert all(found[service]["depends_on"] == {name: RESET} for service in waiting)


def test_redis_is_found_by_its_url() -> None:
    assert "${REDIS_URL" in BASE["api"]["environment"]["REDIS_URL"]
    assert "${REDIS_URL" in overlay("redis")["consumer-redis"]["environment"]["REDIS_URL"]


def test_who_logs_in_to_kafka_also_gets_the_files_for_it() -> None:
    for name, found in BASE.items():
        if "KAFKA_SECURITY_PROTOCOL" in found.get("environment", {}):
            assert any(mount.startswith("./certs:") for mount in found["volumes"]), name


def test_settings_of_the_servers_reach_every_service_that_reads_settings() -> None:
    """A file that one program finds and another does not would be a puzzle."""
    for name, found in BASE.items():
        environment = found.get("environment", {})
        if "PGSSLMODE" in environment:
            assert {"PGSSLROOTCERT", "CASSANDRA_TLS", "CASSANDRA_CA_FILE", "CASSANDRA_CERT_FILE"} <= set(environment)
            assert "./certs:/app/certs:ro,z" in found["volumes"], name
