"""A small HTTP server in a thread: `/metrics` for Prometheus, `/health` for compose and people.
Knows nothing of what the program does: a callback reports its health."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, Metric, make_wsgi_app

from pipeline.errors import BadSetting

# (healthy, facts); the facts become JSON.
Health = Callable[[], tuple[bool, dict[str, object]]]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Do not log requests: Prometheus scrapes every few seconds."""


class _Server(ThreadingMixIn, WSGIServer):
    """One thread per request: a client that connects and sends nothing must not block the health
    check."""

    daemon_threads = True


class _Own(CollectorRegistry):
    """Those of the process's metrics whose names begin with one of these."""

    def __init__(self, *beginnings: str) -> None:
        super().__init__()
        self._beginnings = beginnings

    def collect(self) -> Iterator[Metric]:
        return (metric for metric in REGISTRY.collect() if metric.name.startswith(self._beginnings))


def serve(host: str, port: int, health: Health, prefix: str = "") -> WSGIServer:
    """Serve in a daemon thread until the process ends. `prefix`: of the program's metrics, if it
    imports code of other programs: theirs, which stay 0 here, would count in rules and alerts.
    Raises BadSetting when the port is taken."""
    metrics = make_wsgi_app(_Own(prefix, "process_", "python_") if prefix else REGISTRY)

    def app(environ: dict, start_response: Callable) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start_response)
        if environ["PATH_INFO"] != "/health":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"only /health and /metrics are served here\n"]
        healthy, facts = health()
        status = HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
        return [json.dumps({"healthy": healthy, **facts}).encode() + b"\n"]

    try:
        server = make_server(host, port, app, server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise BadSetting(f"METRICS_PORT={port}: cannot listen on {host}:{port} ({error.strerror})") from error
    threading.Thread(target=server.serve_forever, name="monitor", daemon=True).start()
    return server
