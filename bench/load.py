"""A client process that requests the same paths from an HTTP server repeatedly: `python3 -m
bench.load`. Raw sockets and one thread per connection keep the cost of the client low; prints one
JSON line. Knows nothing of our API."""

import argparse
import json
import socket
import threading
import time
from collections import Counter


class Connection:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1 << 20)

    def get(self, request: bytes) -> int:
        """The status of the response, which is read completely."""
        self._socket.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("closed by the server")
            head += received
        head, _, body = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
        body_bytes = len(body)
        while body_bytes < length:
            received_bytes = self._socket.recv_into(self._buffer)
            if not received_bytes:
                raise ConnectionError("closed by the server")
            body_bytes += received_bytes
        return int(lines[0].split()[1])


def send_requests(
    port: int, requests: list[bytes], until: float, pause: float, codes: Counter, durations: list[float]
) -> None:
    connection: Connection | None = None
    number = 0
    while time.monotonic() < until:
        started = time.monotonic()
        try:
            connection = connection or Connection(port)
            codes[connection.get(requests[number % len(requests)])] += 1
        except OSError as error:
            codes[type(error).__name__] += 1
            connection = None
        durations.append(time.monotonic() - started)
        number += 1
        if pause:
            time.sleep(max(0.0, started + pause - time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m bench.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("paths", nargs="+", help="requested in turn")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--shift", type=int, default=1, help="each client begins so many paths after the one before")
    parser.add_argument(
        "--rate", type=float, default=0, help="requests per second of all clients together (0: unlimited)"
    )
    options = parser.parse_args()
    requests = [f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode() for path in options.paths]
    pause = options.clients / options.rate if options.rate else 0.0
    codes: Counter = Counter()
    durations: list[float] = []
    started = time.monotonic()
    threads = []
    for number in range(options.clients):
        first = number * options.shift % len(requests)
        rotated = requests[first:] + requests[:first]
        arguments = (options.port, rotated, started + options.seconds, pause, codes, durations)
        threads.append(threading.Thread(target=send_requests, args=arguments))
    for thread in threads:
        thread.start()
        if pause:
            time.sleep(pause / len(threads))
    for thread in threads:
        thread.join()
    print(json.dumps({"rate": len(durations) / (time.monotonic() - started), "codes": codes, "took": durations}))


if __name__ == "__main__":
    main()
