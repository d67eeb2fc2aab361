"""Serves an app on a port until a signal. Knows no market."""

import signal
import socket
import threading

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from simulator.web.handler import KeepAliveHandler


class PortTaken(Exception):
    """The port cannot be used; the text is the whole message to the user."""


def open_server(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """A server that listens already; port 0 picks a free one (`server.port`). Raises PortTaken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    # After a restart, old connections remain for a minute and would block the port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as reason:
        listener.close()
        raise PortTaken(f"cannot listen on {host}:{port}: {reason.strerror}; choose another --port") from reason
    # werkzeug duplicates the descriptor. If it bound the port itself, it would print several lines
    # about a port in use and exit.
    server = make_server(host, port, app, threaded=True, request_handler=KeepAliveHandler, fd=listener.fileno())
    server.port = listener.getsockname()[1]
    listener.close()
    return server


def stop_on_signals() -> threading.Event:
    """Set by SIGTERM or SIGINT. Call it before the program reports that it runs: from then on it
    may be stopped."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def serve_until(server: BaseWSGIServer, stopping: threading.Event) -> None:
    """Serve until `stopping` is set. Replies in progress are then cut off."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    stopping.wait()
    server.shutdown()
    server.server_close()
