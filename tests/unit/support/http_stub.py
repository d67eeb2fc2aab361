"""A small HTTP server on a free loopback port with the replies that a test sets. Knows nothing of
what is under test."""

import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Reply:
    """`sent_bytes`: how much of the body is sent before the connection is closed; None: all."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    sent_bytes: int | None = None


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    params: dict[str, str]
    body: bytes


def as_json(body: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


class HttpStub:
    """`answer` sets the replies to a method and path, in order; the last one is repeated. Unknown
    paths get 404."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._replies: dict[tuple[str, str], deque[Reply]] = defaultdict(deque)
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # otherwise every reply on a kept connection is delayed by 40 ms

            def handle_any(self) -> None:
                stub._handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, method: str, path: str, *replies: Reply) -> None:
        self._replies[method, path] = deque(replies)

    def paths(self, method: str) -> list[str]:
        return [request.path for request in self.requests if request.method == method]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append(Request(handler.command, parts.path, params, body))
        replies = self._replies.get((handler.command, parts.path))
        reply = Reply(404, b'{"message": "no such path"}')
        if replies:
            reply = replies.popleft() if len(replies) > 1 else replies[0]
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body[: reply.sent_bytes])
        if reply.sent_bytes is not None:
            handler.close_connection = True
