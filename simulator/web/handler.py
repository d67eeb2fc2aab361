"""One HTTP/1.1 connection: requests in, the app's replies out, kept alive between them. Knows no
route.

werkzeug's own handler closes after every reply, since a body nobody read would be taken for the
next request. Here bodies are read before the app runs, so the connection can stay open, as the
exchange's does."""

import logging
from io import BytesIO
from typing import Any

from werkzeug.serving import WSGIRequestHandler

log = logging.getLogger("simulator")

LARGEST_BODY = 1_000_000


class KeepAliveHandler(WSGIRequestHandler):
    """Headers and first bytes leave in one packet: two would cost 40 ms each time (Nagle against
    delayed ACK)."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.send_error(413)  # closes, for the body is still in the line
            return
        environ = self.make_environ()
        environ["wsgi.input"] = BytesIO(self.rfile.read(int(length)))
        started: list[Any] = []
        body = self.server.app(environ, lambda status, headers, exc_info=None: started.extend((status, headers)))
        try:
            self._reply(*started, body)
        finally:
            if hasattr(body, "close"):
                body.close()

    def _reply(self, status: str, headers: list[tuple[str, str]], body: Any) -> None:
        is_begun = False
        for chunk in body:
            if not is_begun:
                self._send_headers(status, headers)
                is_begun = True
            self.wfile.write(chunk)
            self.wfile.flush()
        if not is_begun:
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
