"""Another address for a server: what comes to it goes to 127.0.0.1. Knows bytes only."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def forwarded(address: str, port: int) -> Iterator[None]:
    """`address`:`port` leads to 127.0.0.1:`port`."""
    with socket.create_server((address, port)) as listener:
        threading.Thread(target=accept, args=(listener, port), daemon=True).start()
        yield
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # ends `accept`, which close alone does not


def accept(listener: socket.socket, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port), 5)
            server.settimeout(None)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=copy, args=(source, target), daemon=True).start()


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
