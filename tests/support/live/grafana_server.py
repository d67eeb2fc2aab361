"""A server that stands for Grafana: the HTTP API for service accounts, and the WebSocket to which
frames are pushed. It refuses what Grafana 12 refuses: a token that it does not know (401), a role
below Admin (403), an origin that is not its own (403). It can be made slow, made to hang, stopped
and started again on its port."""

import base64
import json
import socket
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage
from wsproto.utilities import generate_accept_token

from tests.support.live.accounts import Accounts
from tests.support.live.received import Received

STREAM = "crypto"
PUSH = f"/api/live/push/{STREAM}"
ADMIN = "Basic " + base64.b64encode(b"admin:admin").decode()
PING_SECONDS = 2.0
READ_BYTES = 4096


class GrafanaServer:
    """Listens from `start` on. `refuse_with`: answer every push with this status. `hung`: accept,
    and read nothing any more; `hung_pushes`: only these, by number. `pause_seconds`: between two
    reads of a push."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.accounts = Accounts()
        self.received = Received(STREAM)
        self.refuse_with: int | None = None
        self.hung = threading.Event()
        self.hung_pushes: set[int] = set()
        self.pause_seconds = 0.0
        self.requests: list[tuple[str, str, int]] = []
        self.opened = 0
        self._open: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "GrafanaServer":
        server = _Server(("127.0.0.1", self.port), _Handler)
        server.grafana = self
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), name="grafana", daemon=True).start()
        return self

    def stop(self) -> None:
        """As when Grafana is stopped: no port, no connection."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.close_all()

    def close_all(self) -> None:
        """Cut every push."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def pushes(self) -> int:
        """How many WebSockets are open."""
        return len(self._open)

    def __enter__(self) -> "GrafanaServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.hung.clear()
        self.hung_pushes.clear()
        self.stop()

    def take(self, connection: socket.socket) -> None:
        """Read one push until its end."""
        self.opened += 1
        self._open.add(connection)
        try:
            with suppress(OSError):
                self._read(connection, self.opened)
        finally:
            self._open.discard(connection)

    def _read(self, connection: socket.socket, number: int) -> None:
        protocol, text, pinged_at = Connection(ConnectionType.SERVER), "", time.monotonic()
        connection.settimeout(0.2)
        while True:
            if time.monotonic() - pinged_at > PING_SECONDS:
                pinged_at = time.monotonic()
                connection.sendall(protocol.send(Ping()))
            try:
                data = connection.recv(READ_BYTES)
            except TimeoutError:
                data = None
            while self.hung.is_set() or number in self.hung_pushes:
                time.sleep(0.05)
            if data is None:
                continue
            if not data:
                return
            protocol.receive_data(data)
            for event in protocol.events():
                if isinstance(event, TextMessage):
                    text += event.data
                    if event.message_finished:
                        self.received.message(text, number)
                        text = ""
                elif isinstance(event, Ping):
                    connection.sendall(protocol.send(event.response()))
                elif isinstance(event, CloseConnection):
                    return
            time.sleep(self.pause_seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    grafana: GrafanaServer

    def server_bind(self) -> None:
        # Connections inherit it. Small, so that a few hundred KB that nobody reads fill it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        super().server_bind()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == PUSH and self.headers.get("Upgrade", "").lower() == "websocket":
            self._push()
        elif self.path.startswith("/api/serviceaccounts"):
            if self.headers.get("Authorization") != ADMIN:
                self._reply(HTTPStatus.UNAUTHORIZED, {"message": "Invalid username or password"})
            else:
                self._reply(*self.server.grafana.accounts.answer(self.command, self.path, body))
        else:
            self._reply(HTTPStatus.NOT_FOUND, {"message": "Not found"})

    def _push(self) -> None:
        grafana, status = self.server.grafana, self._push_status()
        if status is not None:
            self._reply(status, {"message": "refused"})
            return
        self.send_response(HTTPStatus.SWITCHING_PROTOCOLS)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accept = generate_accept_token(self.headers["Sec-WebSocket-Key"].encode())
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        grafana.requests.append((self.command, self.path, HTTPStatus.SWITCHING_PROTOCOLS))
        self.close_connection = True
        grafana.take(self.connection)

    def _push_status(self) -> int | None:
        grafana = self.server.grafana
        if grafana.refuse_with is not None:
            return grafana.refuse_with
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers['Host']}":
            return HTTPStatus.FORBIDDEN
        kind, _, key = (self.headers.get("Authorization") or "").partition(" ")
        role = grafana.accounts.role(key) if kind == "Bearer" else None
        if role is None:
            return HTTPStatus.UNAUTHORIZED
        return None if role == "Admin" else HTTPStatus.FORBIDDEN

    def _reply(self, status: int, content: object) -> None:
        self.server.grafana.requests.append((self.command, self.path, status))
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
