"""Clients of Kafka: where it is, how they log in. The only file that makes one. Knows kafka-python;
knows nothing of topics."""

from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from pipeline.kafka_client import network_client
from pipeline.settings import Settings
from pipeline.tls import client_context

# Whoever connects waits longer by trying again.
CONNECT_TIMEOUT_MS = 10_000
# A broker that says nothing for so long is asked no more; the default is 30 s. To join a group may
# take longer, and has a time-out of its own.
REQUEST_TIMEOUT_MS = 10_000


def consumer(settings: Settings, **options: Any) -> KafkaConsumer:
    """`options`: kafka-python's own. Raises KafkaError, with the reason, if Kafka does not let it
    in."""
    return KafkaConsumer(**client_options(settings) | options)


def producer(settings: Settings, **options: Any) -> KafkaProducer:
    """As `consumer`."""
    return KafkaProducer(**client_options(settings) | options)


def admin(settings: Settings, **options: Any) -> KafkaAdminClient:
    """As `consumer`."""
    return KafkaAdminClient(**client_options(settings) | options)


def client_options(settings: Settings) -> dict[str, Any]:
    """What every client is given: addresses, TLS, login."""
    protocol = settings.KAFKA_SECURITY_PROTOCOL
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.KAFKA_BOOTSTRAP_SERVERS),
        "bootstrap_timeout_ms": CONNECT_TIMEOUT_MS,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "security_protocol": protocol,
        "kafka_client": network_client,
    }
    if protocol.endswith("SSL"):
        options["ssl_context"] = client_context(settings.KAFKA_CA_FILE, settings.KAFKA_CERT_FILE)
    if protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.KAFKA_SASL_MECHANISM
        options["sasl_plain_username"] = settings.KAFKA_USERNAME
        options["sasl_plain_password"] = settings.KAFKA_PASSWORD
    return options
