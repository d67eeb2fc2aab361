"""Settings of TLS and logins: files that can be used, values that go together."""

import re
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from pipeline.errors import BadSetting
from pipeline.settings import Settings, load
from tests.support.secure.certificates import Certificates

SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_USERNAME": "user", "KAFKA_PASSWORD": "hidden"}


def settings(program: str = "consumer", **environ: object) -> Settings:
    return load(program, {name: str(value) for name, value in environ.items()}, "/nonexistent/.env")


def refusal(**environ: object) -> str:
    with pytest.raises(BadSetting) as caught:
        settings(**environ)
    text = str(caught.value)
    assert "\n" not in text
    assert "hidden" not in text
    return text


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_everything_together_is_accepted(files: Certificates) -> None:
    found = settings(
        **SASL,
        KAFKA_SASL_MECHANISM="scram-sha-256",
        KAFKA_CA_FILE=files.ca,
        KAFKA_CERT_FILE=files.client,
        CASSANDRA_TLS="Verify-CA",
        CASSANDRA_CA_FILE=files.ca,
        CASSANDRA_CERT_FILE=files.client,
        PGSSLMODE="verify-full",
        PGSSLROOTCERT=files.ca,
        REDIS_URL="rediss://host:6380",
        REDIS_CA_FILE=files.ca,
    )
    assert (found.KAFKA_SASL_MECHANISM, found.CASSANDRA_TLS) == ("SCRAM-SHA-256", "verify-ca")


def test_authorities_of_the_machine_need_no_file() -> None:
    settings(**SASL, CASSANDRA_TLS="verify-full", PGSSLMODE="verify-full", PGSSLROOTCERT="system")


@pytest.mark.parametrize("name", ["KAFKA_CA_FILE", "CASSANDRA_CA_FILE", "PGSSLROOTCERT", "REDIS_CA_FILE"])
def test_authority_must_be_a_file_of_certificates(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    for bad in (tmp_path / "missing.pem", tmp_path / "text.pem", tmp_path):
        assert re.match(rf"{name}='{bad}': expected .*a PEM file with the certificate", refusal(**{name: bad}))


@pytest.mark.parametrize("name", ["KAFKA_CERT_FILE", "CASSANDRA_CERT_FILE"])
def test_client_certificate_must_come_with_its_key(name: str, files: Certificates, tmp_path: Path) -> None:
    assert "its private key, not encrypted (cat client.crt client.key" in refusal(**{name: files.ca})
    other = trustme.CA().issue_cert("other.test")
    (tmp_path / "mixed.pem").write_bytes(other.private_key_pem.bytes() + files.ca.read_bytes())
    assert "private key" in refusal(**{name: tmp_path / "mixed.pem"})


@pytest.mark.parametrize("name", ["KAFKA_CERT_FILE", "CASSANDRA_CERT_FILE"])
def test_encrypted_key_is_refused_and_no_password_is_asked_for(name: str, tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("client.test")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    secret = serialization.BestAvailableEncryption(b"hidden")
    encrypted = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    (tmp_path / "client.pem").write_bytes(encrypted + issued.cert_chain_pems[0].bytes())
    assert "not encrypted" in refusal(**{name: tmp_path / "client.pem"})


def test_key_in_a_form_that_java_does_not_read_is_refused_for_kafka(tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    trustme.CA().issue_cert("client.test").private_key_and_cert_chain_pem.write_to_path(file)
    assert "openssl pkcs8 -topk8 -nocrypt" in refusal(KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_CERT_FILE=file)
    settings(CASSANDRA_TLS="verify-ca", CASSANDRA_CERT_FILE=file)


def test_file_alone_does_not_switch_tls_on_and_is_refused(files: Certificates) -> None:
    """Else a program would connect in the clear although somebody has set up TLS."""
    assert "KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL with it" in refusal(KAFKA_CA_FILE=files.ca)
    assert "SASL_SSL with it" in refusal(**SASL | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, KAFKA_CA_FILE=files.ca)
    assert "CASSANDRA_TLS=verify-full or verify-ca with it" in refusal(CASSANDRA_CA_FILE=files.ca)
    assert "CASSANDRA_TLS=verify-full or verify-ca with it" in refusal(CASSANDRA_CERT_FILE=files.client)
    assert "PGSSLMODE=verify-full with it" in refusal(PGSSLROOTCERT=files.ca)
    assert "rediss://host:port with it" in refusal(REDIS_CA_FILE=files.ca, REDIS_URL="redis://host:6379")


def test_file_for_redis_does_no_harm_to_a_program_without_redis(files: Certificates) -> None:
    settings("producer", REDIS_CA_FILE=files.ca)


@pytest.mark.parametrize("missing", ["KAFKA_USERNAME", "KAFKA_PASSWORD"])
def test_login_needs_user_and_password(missing: str) -> None:
    given = {name: value for name, value in SASL.items() if name != missing}
    expected = "KAFKA_SECURITY_PROTOCOL='SASL_SSL': expected KAFKA_USERNAME and KAFKA_PASSWORD with it"
    assert refusal(**given) == expected


def test_user_without_login_is_refused() -> None:
    assert "KAFKA_SECURITY_PROTOCOL=SASL_SSL with it" in refusal(KAFKA_USERNAME="user", KAFKA_SECURITY_PROTOCOL="SSL")


@pytest.mark.parametrize("password", ['hidden"', "hidden\\", "hidden\nline"])
def test_password_that_kafka_connect_cannot_quote_is_refused_and_not_shown(password: str) -> None:
    text = refusal(**SASL | {"KAFKA_PASSWORD": password})
    assert text == "KAFKA_PASSWORD=***: expected a text without quotation marks, backslashes and line ends"


def test_sslmode_that_verifies_needs_an_authority(files: Certificates) -> None:
    for mode in ("verify-ca", "verify-full"):
        assert "PGSSLROOTCERT with it: the authority's PEM file, or system" in refusal(PGSSLMODE=mode)
    assert "PGSSLMODE=verify-full with it" in refusal(PGSSLMODE="verify-ca", PGSSLROOTCERT="system")
    settings(PGSSLMODE="require", PGSSLROOTCERT=files.ca)


def test_defaults_are_those_of_one_machine() -> None:
    found = settings()
    assert (found.KAFKA_SECURITY_PROTOCOL, found.CASSANDRA_TLS, found.PGSSLMODE) == ("PLAINTEXT", "off", "prefer")
    assert (found.KAFKA_REPLICATION_FACTOR, found.CASSANDRA_REPLICATION_FACTOR, found.KAFKA_PARTITIONS) == (-1, 1, 4)
    assert (found.CASSANDRA_READ_CONSISTENCY, found.CASSANDRA_WRITE_CONSISTENCY) == ("LOCAL_ONE", "LOCAL_ONE")
