"""One HTTP/1.1 connection: requests in, the app's replies out, kept alive between them. Knows no
route.

werkzeug's own handler closes the connection after every reply, because an unread body would be
taken for the next request. Here the body is read before the app runs, so the connection can stay
open, as on the exchange."""

import logging
from collections.abc import Callable, Iterable
from io import BytesIO

from werkzeug.serving import WSGIRequestHandler

log = logging.getLogger("simulator")

MAX_BODY_BYTES = 1_000_000


class KeepAliveHandler(WSGIRequestHandler):
    """Headers and first bytes are sent in one packet: two would cost 40 ms each time (Nagle's
    algorithm with delayed ACK)."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES or "Transfer-Encoding" in self.headers:
            self.send_error(413)  # closes the connection, because the body is still unread
            return
        environ = self.make_environ()
        environ["wsgi.input"] = BytesIO(self.rfile.read(int(length)))
        status, headers = "", list[tuple[str, str]]()

        def start_response(
            new_status: str, new_headers: list[tuple[str, str]], *_: object
        ) -> Callable[[bytes], object]:
            nonlocal status, headers
            status, headers = new_status, new_headers
            return self.wfile.write

        body = self.server.app(environ, start_response)
        try:
            self._reply(status, headers, body)
        finally:
            if hasattr(body, "close"):
                body.close()

    def _reply(self, status: str, headers: list[tuple[str, str]], body: Iterable[bytes]) -> None:
        headers_sent = False
        for chunk in body:
            if not headers_sent:
                self._send_headers(status, headers)
                headers_sent = True
            self.wfile.write(chunk)
            self.wfile.flush()
        if not headers_sent:
            self._send_headers(status, headers)

    def _send_headers(self, status: str, headers: list[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Connection", "close")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.debug("request line=%r status=%s", self.requestline, code)

    def log(self, type: str, message: str, *args: object) -> None:
        log.debug(message.rstrip(), *args)
