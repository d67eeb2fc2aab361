"""Settings as options of kafka-python."""

import ssl
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaConnectionError
from kafka.net.connection import KafkaConnection

from pipeline import kafka_connection
from pipeline.kafka_client import network_client
from pipeline.kafka_connection import client_options
from pipeline.settings import Settings

SASL = {"KAFKA_USERNAME": "user", "KAFKA_PASSWORD": "hidden"}


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("PLAINTEXT", set()),
        ("SSL", {"ssl_context"}),
        ("SASL_PLAINTEXT", {"sasl_mechanism", "sasl_plain_username", "sasl_plain_password"}),
        ("SASL_SSL", {"ssl_context", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password"}),
    ],
)
def test_each_protocol_has_its_own_options(defaults: Settings, protocol: str, expected: set[str]) -> None:
    options = client_options(defaults.override(KAFKA_SECURITY_PROTOCOL=protocol, **SASL))
    common = {"bootstrap_servers", "bootstrap_timeout_ms", "request_timeout_ms", "security_protocol", "kafka_client"}
    assert options.keys() - common == expected


@pytest.mark.parametrize("client", [KafkaConsumer, KafkaProducer, KafkaAdminClient])
def test_library_knows_every_option(defaults: Settings, client: type) -> None:
    options = client_options(defaults.override(KAFKA_SECURITY_PROTOCOL="SASL_SSL", **SASL))
    assert options.keys() <= client.DEFAULT_CONFIG.keys()  # type: ignore[attr-defined]


def test_tls_verifies_the_broker_and_its_name(defaults: Settings) -> None:
    context = client_options(defaults.override(KAFKA_SECURITY_PROTOCOL="SSL"))["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("heard_at", "asked"),
    [
        ({1: 90.0, 2: 99.5, 3: None}, 2),  # 1 hangs, 3 is dead
        ({1: 99.9, 2: 99.5, 3: None}, 1),
        ({1: 90.0, 2: None, 3: None}, 1),
    ],
)
def test_who_answers_is_asked_for_the_brokers(
    monkeypatch: pytest.MonkeyPatch, heard_at: dict[int, float | None], asked: int
) -> None:
    """`heard_at`: when each broker has sent something; None: not connected. One that hangs need not
    owe an answer."""
    client = network_client(bootstrap_servers=["127.0.0.1:1"])
    brokers = [SimpleNamespace(node_id=number) for number in heard_at]
    monkeypatch.setattr(client.cluster, "brokers", lambda: brokers)
    for number, seconds in heard_at.items():
        if seconds is not None:
            connection = KafkaConnection(client._net, node_id=number)
            connection.connected = True
            connection.transport = SimpleNamespace(last_read=seconds)
            client._manager._conns[number] = connection
    assert {client.least_loaded_node() for _ in range(20)} == {asked}


def test_options_of_the_caller_win(defaults: Settings) -> None:
    nowhere = defaults.override(KAFKA_BOOTSTRAP_SERVERS=("127.0.0.1:1",))
    with pytest.raises(KafkaConnectionError, match=r"127\.0\.0\.1:1 with KAFKA_\w+=PLAINTEXT: .*ECONNREFUSED"):
        kafka_connection.consumer(nowhere, bootstrap_timeout_ms=500)
