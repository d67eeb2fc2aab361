"""Clients of Kafka: where it is, how they log in, what they say when that fails. The only file that
makes one. Knows kafka-python; knows nothing of topics."""

from collections.abc import Callable
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import BrokerResponseError, KafkaConnectionError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient
from kafka.net.connection import KafkaConnection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaTCPTransport

from pipeline.settings import Settings
from pipeline.tls import client_context

Received = tuple[bytes, BaseException | None]
# Whoever connects waits longer by trying again.
CONNECT_TIMEOUT_MS = 10_000


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
        "security_protocol": protocol,
        "kafka_client": client_with_reasons,
    }
    if protocol.endswith("SSL"):
        options["ssl_context"] = client_context(settings.KAFKA_CA_FILE, settings.KAFKA_CERT_FILE)
    if protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.KAFKA_SASL_MECHANISM
        options["sasl_plain_username"] = settings.KAFKA_USERNAME
        options["sasl_plain_password"] = settings.KAFKA_PASSWORD
    return options


def client_with_reasons(**options: Any) -> KafkaNetClient:
    net = NetworkSelector(**options)
    return KafkaNetClient(net, ConnectionManager(net, **options), **options)


class ConnectionManager(KafkaConnectionManager):
    """kafka-python only logs why it cannot connect and raises a time-out in the end. Here the error
    says why. Undocumented; read in version 3.0, and tests/integration/secure/test_kafka.py fails
    when it does not hold any more."""

    _reason: BaseException | None = None

    async def _build_transport(self, *place: Any, **options: Any) -> KafkaTCPTransport:
        """A broker answers a refused login and closes the connection at once; the library forgets
        an answer that it reads together with the end."""
        transport = await super()._build_transport(*place, **options)
        if self.config["security_protocol"].startswith("SASL"):
            transport._sock_recv = answer_before_end(transport._sock_recv)
        return transport

    def get_connection(self, node_id: Any, *limits: Any, **options: Any) -> KafkaConnection:
        is_new = node_id not in self._conns
        connection = super().get_connection(node_id, *limits, **options)
        if is_new:
            connection.close = self._remembering(connection.close)
        return connection

    def _remembering(self, close: Callable[..., None]) -> Callable[..., None]:
        """What the broker answers says more than that the connection was closed."""

        def remember_and_close(error: BaseException | None = None) -> None:
            if error is not None and not isinstance(self._reason, BrokerResponseError):
                self._reason = error
            close(error)

        return remember_and_close

    def bootstrap(self, *limits: Any, **options: Any) -> None:
        try:
            super().bootstrap(*limits, **options)
        except KafkaTimeoutError as error:
            where, protocol = ",".join(self.config["bootstrap_servers"]), self.config["security_protocol"]
            reason = self._reason or "no answer"
            raise KafkaConnectionError(f"{where} with KAFKA_SECURITY_PROTOCOL={protocol}: {reason}") from error


def answer_before_end(receive: Callable[[], Received]) -> Callable[[], Received]:
    def received() -> Received:
        data, error = receive()
        return (data, None) if data else (data, error)

    return received
