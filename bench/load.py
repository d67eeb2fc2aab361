"""A client process that asks an HTTP server for the same paths over and over: `python3 -m
bench.load`. Raw sockets and one thread a connection, so that the client costs as little as it can;
prints one JSON line. Knows no API."""

import argparse
import json
import socket
import threading
import time
from collections import Counter


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1 << 20)

    def get(self, request: bytes) -> int:
        """The status of the reply, which is read whole."""
        self._socket.sendall(request)
        head, got = b"", 0
        while b"\r\n\r\n" not in head:
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("closed by the server")
            head += received
        head, _, body = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
        got = len(body)
        while got < length:
            received = self._socket.recv_into(self._buffer)
            if not received:
                raise ConnectionError("closed by the server")
            got += received
        return int(lines[0].split()[1])


def ask(port: int, requests: list[bytes], until: float, pause: float, codes: Counter, took: list[float]) -> None:
    connection, number = None, 0
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            connection = connection or Connection(port)
            codes[connection.get(requests[number % len(requests)])] += 1
        except OSError as error:
            codes[type(error).__name__] += 1
            connection = None
        took.append(time.monotonic() - began)
        number += 1
        if pause:
            time.sleep(max(0.0, began + pause - time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m bench.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("paths", nargs="+", help="asked in turn")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=0, help="requests a second of all clients (0: as many as go)")
    options = parser.parse_args()
    requests = [f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode() for path in options.paths]
    pause = options.clients / options.rate if options.rate else 0.0
    codes, took, began = Counter(), [], time.monotonic()
    threads = [
        threading.Thread(
            target=ask,
            args=(
                options.port,
                requests[n % len(requests) :] + requests[: n % len(requests)],
                began + options.seconds,
                pause,
                codes,
                took,
            ),
        )
        for n in range(options.clients)
    ]
    for thread in threads:
        thread.start()
        if pause:
            time.sleep(pause / len(threads))
    for thread in threads:
        thread.join()
    print(json.dumps({"rate": len(took) / (time.monotonic() - began), "codes": codes, "took": took}))


if __name__ == "__main__":
    main()
