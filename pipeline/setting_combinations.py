"""Settings of TLS and logins that do not go together: with one of them alone a program would
connect without what the other asks for, or not at all. Knows names and values; opens nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import BadSetting

WEAK_SSLMODES = ("disable", "allow", "prefer")


def check_combinations(values: Mapping[str, Any]) -> None:
    """Raises BadSetting for the first that do not go together."""
    for name, expected in (*kafka(values), *cassandra(values), *postgres(values), *redis(values)):
        raise BadSetting(f"{name}={values[name]!r}: expected {expected}")


def kafka(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    protocol = values["KAFKA_SECURITY_PROTOCOL"]
    if protocol.startswith("SASL") and not (values["KAFKA_USERNAME"] and values["KAFKA_PASSWORD"]):
        yield "KAFKA_SECURITY_PROTOCOL", "KAFKA_USERNAME and KAFKA_PASSWORD with it"
    if not protocol.startswith("SASL"):
        for name in given(values, "KAFKA_USERNAME"):
            yield name, "KAFKA_SECURITY_PROTOCOL=SASL_SSL with it (or SASL_PLAINTEXT)"
    if not protocol.endswith("SSL"):
        for name in given(values, "KAFKA_CA_FILE", "KAFKA_CERT_FILE"):
            yield name, "KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL with it"


def cassandra(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if values["CASSANDRA_TLS"] == "off":
        for name in given(values, "CASSANDRA_CA_FILE", "CASSANDRA_CERT_FILE"):
            yield name, "CASSANDRA_TLS=verify-full or verify-ca with it"


def postgres(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    mode, root = values["PGSSLMODE"], values["PGSSLROOTCERT"]
    if mode.startswith("verify") and not root:
        yield "PGSSLMODE", "PGSSLROOTCERT with it: the authority's PEM file, or system"
    if root == "system" and mode != "verify-full":
        yield "PGSSLROOTCERT", "PGSSLMODE=verify-full with it"
    if root and mode in WEAK_SSLMODES:
        yield "PGSSLROOTCERT", "PGSSLMODE=verify-full with it (or verify-ca, require)"


def redis(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A program without Redis may be given the file all the same."""
    if values["REDIS_URL"] and not values["REDIS_URL"].startswith("rediss:"):
        for name in given(values, "REDIS_CA_FILE"):
            yield name, "REDIS_URL=rediss://host:port with it"


def given(values: Mapping[str, Any], *names: str) -> Iterator[str]:
    return (name for name in names if values[name])
