"""debezium/kafka_security.sh: Kafka Connect's own words for the settings."""

import subprocess

import pytest

from tests.support.program import ROOT

PREFIXES = ("", "PRODUCER_", "CONSUMER_", "ADMIN_")
JAAS = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="${env:KAFKA_USERNAME}" '


def made_of(**environ: str) -> dict[str, str]:
    """The variables that the script adds."""
    command = ("bash", str(ROOT / "debezium" / "kafka_security.sh"), "env", "-0")
    printed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=10).stdout
    pairs = (each.split("=", 1) for each in printed.split("\0") if each.startswith("CONNECT_"))
    return {name.removeprefix("CONNECT_"): value for name, value in pairs}


def with_prefixes(**expected: str) -> dict[str, str]:
    """The worker's own clients, and those that it makes for a connector."""
    return {prefix + name: value for prefix in PREFIXES for name, value in expected.items()}


@pytest.mark.parametrize("environ", [{}, {"KAFKA_SECURITY_PROTOCOL": "", "KAFKA_CA_FILE": ""}])
def test_nothing_set_is_plaintext(environ: dict[str, str]) -> None:
    assert made_of(**environ) == with_prefixes(SECURITY_PROTOCOL="PLAINTEXT")


def test_tls_with_the_authorities_of_the_machine_names_no_file() -> None:
    """An empty name of a file would be read as a file."""
    assert made_of(KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_CA_FILE="") == with_prefixes(SECURITY_PROTOCOL="SSL")


def test_tls_with_files() -> None:
    assert made_of(
        KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_CA_FILE="c/ca.pem", KAFKA_CERT_FILE="c/me.pem"
    ) == with_prefixes(
        SECURITY_PROTOCOL="SSL",
        SSL_TRUSTSTORE_TYPE="PEM",
        SSL_TRUSTSTORE_LOCATION="c/ca.pem",
        SSL_KEYSTORE_TYPE="PEM",
        SSL_KEYSTORE_LOCATION="c/me.pem",
    )


def test_login_names_where_user_and_password_are_and_not_what_they_are() -> None:
    secrets = {"KAFKA_USERNAME": "hidden", "KAFKA_PASSWORD": "hidden"}
    found = made_of(KAFKA_SECURITY_PROTOCOL="sasl_ssl", KAFKA_SASL_MECHANISM="scram-sha-256", **secrets)
    assert found == with_prefixes(
        SECURITY_PROTOCOL="SASL_SSL",
        SASL_MECHANISM="SCRAM-SHA-256",
        SASL_JAAS_CONFIG=JAAS + 'password="${env:KAFKA_PASSWORD}";',
    )
    assert made_of(KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT")["SASL_MECHANISM"] == "SCRAM-SHA-512"
