"""Does the Kafka broker answer? It accepts requests only after it joined its controller, so any
reply proves that it is ready."""

import struct

from local.checks.sockets import exchange

API_VERSIONS_KEY, API_VERSIONS_VERSION, CORRELATION_ID = 18, 0, 7


def answers(port: int, host: str = "127.0.0.1") -> None:
    client = b"local"
    request = struct.pack(">hhih", API_VERSIONS_KEY, API_VERSIONS_VERSION, CORRELATION_ID, len(client)) + client
    with exchange(port, host=host) as broker:
        broker.send(struct.pack(">i", len(request)) + request)
        length, correlation_id, error = struct.unpack(">iih", broker.read(10))
    if correlation_id != CORRELATION_ID or error:
        raise RuntimeError(f"port {port} is not a Kafka broker (reply of {length} bytes, error {error})")
