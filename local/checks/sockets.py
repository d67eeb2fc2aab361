"""An exchange of bytes over a TCP connection, for checks that implement a protocol themselves."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from local.waiting import NotReady


class Exchange:
    """A connected socket that reads exactly the number of bytes asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._connection.recv(count - len(data))
            if not part:
                raise NotReady("connection closed")
            data += part
        return data


@contextmanager
def exchange(port: int, timeout_seconds: float = 2.0, host: str = "127.0.0.1") -> Iterator[Exchange]:
    """A connection to `port` of an address of this machine; any error on it raises NotReady."""
    try:
        with socket.create_connection((host, port), timeout_seconds) as connection:
            yield Exchange(connection)
    except OSError as error:
        raise NotReady(f"{host}:{port}: {error}") from None
