"""A Kafka broker that wants TLS and a login: each kind lets us in, each mistake is one clear
error."""

import time
import uuid

import pytest
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from pipeline import kafka_connection
from pipeline.settings import Settings
from tests.integration.secure.conftest import Secured

CLIENT_CERTIFICATE = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_USERNAME": "", "KAFKA_PASSWORD": ""}
# Less than the programs wait, and enough for several attempts.
TIMEOUT_MS = 2000
MAX_WAIT_SECONDS = 5


@pytest.fixture
def scram(secured: Secured) -> Settings:
    return secured.settings()


@pytest.fixture
def plain(secured: Secured) -> Settings:
    return secured.settings(
        KAFKA_BOOTSTRAP_SERVERS=secured.plain,
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_MECHANISM="PLAIN",
        KAFKA_CA_FILE="",
    )


@pytest.fixture
def certified(secured: Secured) -> Settings:
    return secured.settings(
        **CLIENT_CERTIFICATE,
        KAFKA_BOOTSTRAP_SERVERS=secured.cert,
        KAFKA_CERT_FILE=secured.certificates.client,
    )


def round_trip(settings: Settings) -> bytes:
    """Creates a topic, writes one record to it and reads it."""
    topic = f"crypto.public.{uuid.uuid4().hex}"
    admin = kafka_connection.admin(settings)
    admin.create_topics([NewTopic(topic, 1, settings.KAFKA_REPLICATION_FACTOR)], timeout_ms=10_000)
    admin.close()
    producer = kafka_connection.producer(settings, acks="all")
    producer.send(topic, b"through").get(timeout=10)
    producer.close()
    consumer = kafka_connection.consumer(
        settings, group_id=f"crypto-{topic}", auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    consumer.subscribe([topic])
    try:
        return next(iter(consumer)).value
    finally:
        consumer.close()


def refusal(settings: Settings) -> str:
    """What is said when Kafka does not let us in; it must not take long."""
    began = time.monotonic()
    with pytest.raises(KafkaError) as refused:
        kafka_connection.consumer(settings, bootstrap_timeout_ms=TIMEOUT_MS)
    assert time.monotonic() - began < MAX_WAIT_SECONDS
    text = str(refused.value)
    assert "\n" not in text
    assert settings.KAFKA_BOOTSTRAP_SERVERS[0] in text
    assert f"KAFKA_SECURITY_PROTOCOL={settings.KAFKA_SECURITY_PROTOCOL}" in text
    assert not settings.KAFKA_PASSWORD or settings.KAFKA_PASSWORD not in text
    return text


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256"])
def test_login_by_scram_over_tls(scram: Settings, mechanism: str) -> None:
    assert round_trip(scram.override(KAFKA_SASL_MECHANISM=mechanism)) == b"through"


def test_login_by_a_plain_password(plain: Settings) -> None:
    assert round_trip(plain) == b"through"


def test_client_certificate(certified: Settings) -> None:
    assert round_trip(certified) == b"through"


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256"])
def test_wrong_password_is_named(scram: Settings, mechanism: str) -> None:
    text = refusal(scram.override(KAFKA_PASSWORD="hidden, and wrong", KAFKA_SASL_MECHANISM=mechanism))
    assert "SaslAuthenticationFailedError" in text


def test_wrong_plain_password_is_named(plain: Settings) -> None:
    assert "SaslAuthenticationFailedError" in refusal(plain.override(KAFKA_PASSWORD="hidden, and wrong"))


def test_mechanism_that_the_broker_does_not_have_is_named(scram: Settings) -> None:
    assert "UnsupportedSaslMechanism" in refusal(scram.override(KAFKA_SASL_MECHANISM="PLAIN"))


def test_authority_that_is_not_the_brokers_is_named(secured: Secured, scram: Settings) -> None:
    text = refusal(scram.override(KAFKA_CA_FILE=str(secured.certificates.wrong_ca)))
    assert "certificate verify failed" in text


def test_name_that_the_certificate_does_not_bear_is_refused(scram: Settings) -> None:
    servers = tuple(each.replace("127.0.0.1", "localhost") for each in scram.KAFKA_BOOTSTRAP_SERVERS)
    assert "certificate is not valid for 'localhost'" in refusal(scram.override(KAFKA_BOOTSTRAP_SERVERS=servers))


def test_missing_client_certificate_is_refused(certified: Settings) -> None:
    refusal(certified.override(KAFKA_CERT_FILE=""))


def test_client_certificate_of_a_stranger_is_refused(secured: Secured, certified: Settings) -> None:
    refusal(certified.override(KAFKA_CERT_FILE=str(secured.certificates.wrong_client)))


def test_client_without_tls_is_refused_where_tls_is_wanted(scram: Settings) -> None:
    refusal(scram.override(KAFKA_SECURITY_PROTOCOL="PLAINTEXT"))


def test_client_with_tls_is_refused_where_there_is_none(secured: Secured, scram: Settings) -> None:
    refusal(scram.override(KAFKA_BOOTSTRAP_SERVERS=(secured.plain,)))


def test_right_that_is_missing_is_named(scram: Settings) -> None:
    admin = kafka_connection.admin(scram)
    with pytest.raises(KafkaError, match="Authorization"):
        admin.create_topics([NewTopic("not.ours", 1, 1)], timeout_ms=10_000)
    admin.close()
