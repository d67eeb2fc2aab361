"""What kafka-python's client leaves out: it only logs why Kafka does not let it in and raises a
time-out in the end, and it asks a dead broker who has taken over. Relies on undocumented parts of
the library, read in version 3.0; when they change, tests/integration/secure/test_kafka.py and
tests/unit/pipeline/test_kafka_connection.py fail. Knows nothing of settings."""

from collections.abc import Callable
from typing import Any

from kafka.errors import BrokerResponseError, KafkaConnectionError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient
from kafka.net.connection import KafkaConnection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaTCPTransport

Received = tuple[bytes, BaseException | None]


def network_client(**options: Any) -> KafkaNetClient:
    """For kafka-python's option `kafka_client`."""
    net = NetworkSelector(**options)
    return KafkaNetClient(net, ConnectionManager(net, **options), **options)


class ConnectionManager(KafkaConnectionManager):
    """Its `least_loaded_node` is the one that was heard last. A `bootstrap` that fails raises
    KafkaConnectionError with the reason."""

    _reason: BaseException | None = None

    async def _build_transport(self, *place: Any, **options: Any) -> KafkaTCPTransport:
        """A broker answers a refused login and closes the connection at once; the library forgets
        an answer that it reads together with the end."""
        transport = await super()._build_transport(*place, **options)
        if self.config["security_protocol"].startswith("SASL"):
            transport._sock_recv = answer_before_end(transport._sock_recv)
        return transport

    def least_loaded_node(self) -> Any:
        """Whom to ask who has taken over from a broker that is gone. The library prefers a broker
        that owes no answer, and that is the one which is gone when the others always have a fetch
        to answer: it connects to it again and again, for 10, 20, 30 s. Here it is the connected one
        that was heard last."""
        found = {broker.node_id: self._conns.get(broker.node_id) for broker in self.cluster.brokers()}
        heard_at = {
            node_id: each.transport.last_read
            for node_id, each in found.items()
            if each and each.connected and each.transport and not each.paused
        }
        return max(heard_at, key=heard_at.__getitem__) if heard_at else super().least_loaded_node()

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
