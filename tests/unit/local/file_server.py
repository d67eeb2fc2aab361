"""A web server on a free port that serves files from memory, breaks connections and refuses on
request. Knows HTTP ranges; knows nothing of what is downloaded."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """`break_after`: bytes after which the connection closes, for the next requests in turn.
    `statuses`: answers without content, for the next requests in turn."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""


def handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            server.requests.append((self.path, wanted))
            content = server.files.get(self.path.removeprefix("/"))
            if server.statuses:
                self.send_error(server.statuses.pop(0))
            elif content is None:
                self.send_error(404)
            else:
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted).group(1)) if wanted and server.ranges else 0
                self.send(content, start)

        def send(self, content: bytes, start: int) -> None:
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = start + server.break_after.pop(0) if server.break_after else len(content)
            self.wfile.write(content[start:end])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving() -> Iterator[FileServer]:
    served = FileServer()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler(served))
    served.address = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    listening.shutdown()
    thread.join()
    listening.server_close()
