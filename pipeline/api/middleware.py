"""The outermost layer: gives every request an id, a log line, metrics and CORS headers, and serves
fresh cached responses before Flask does any work. Knows WSGI; knows nothing of the responses'
content."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from pipeline.api import metrics
from pipeline.api.cache import Cache
from pipeline.api.cors import cors_headers
from pipeline.api.responses import EncodedResponse
from pipeline.api.route_specs import ROUTES, STATIC_PATH, TABLE_PATH

log = logging.getLogger(__name__)
HARMLESS_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
MAX_LOGGED_CHARACTERS = 300
# The key in the WSGI environment under which a view leaves the number of rows for the log line.
ROW_COUNT = "api.rows"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class Middleware:
    """A WSGI app around the Flask app. `cache` holds responses by (path, query string)."""

    def __init__(self, app: WsgiApp, cache: Cache[EncodedResponse], cors_origins: tuple[str, ...]) -> None:
        self._app = app
        self._cache = cache
        self._cors_origins = cors_origins

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        request_id = request_id_of(environ)
        common_headers = [("X-Request-Id", request_id), *cors_headers(self._cors_origins, environ)]

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            length = next((int(value) for name, value in headers if name == "Content-Length"), 0)
            record_request(environ, int(status[:3]), length, time.perf_counter() - started, request_id)
            return start_response(status, [*headers, *common_headers], *exc_info)

        if environ["REQUEST_METHOD"] == "GET":
            cached = self._cache.peek((environ["PATH_INFO"], environ["QUERY_STRING"]))
            if cached is not None:
                status, headers, body = cached.for_request(environ)
                environ[ROW_COUNT] = cached.rows
                start(status, headers)
                return [body]
        return self._app(environ, start)


def request_id_of(environ: Environ) -> str:
    """The id that the client sent if it is harmless in a log, else a new one."""
    sent: str = environ.get("HTTP_X_REQUEST_ID", "")
    return sent if HARMLESS_ID.fullmatch(sent) else secrets.token_hex(16)


def record_request(environ: Environ, status: int, length: int, seconds: float, request_id: str) -> None:
    """Log one line and update the metrics."""
    path = environ["PATH_INFO"]
    rows = environ.get(ROW_COUNT, 0)
    requests, took, rows_returned = request_metrics(route_of(path), status)
    requests.inc()
    took.observe(seconds)
    rows_returned.inc(rows)
    log.info(
        "request",
        extra={
            "method": environ["REQUEST_METHOD"],
            "path": path[:MAX_LOGGED_CHARACTERS],
            "query": environ["QUERY_STRING"][:MAX_LOGGED_CHARACTERS],
            "status": status,
            "took_ms": round(seconds * 1000, 1),
            "rows": rows,
            "bytes": length,
            "request_id": request_id,
            "client": environ.get("REMOTE_ADDR", "-"),
        },
    )


def route_of(path: str) -> str:
    """The route's path as a metric label; all unknown paths share one label, because anyone can
    invent more."""
    known = path.rstrip("/") or "/"
    if re.fullmatch("/tables/[^/]+", known):
        return TABLE_PATH
    if known in ROUTES:
        return known
    return STATIC_PATH if path.startswith(STATIC_PATH + "/") else "unknown"


@lru_cache(maxsize=1000)
def request_metrics(route: str, status: int) -> tuple[Any, Any, Any]:
    """Cached, because looking up a metric by its labels takes longer than counting."""
    return (
        metrics.REQUESTS.labels(route, status),
        metrics.REQUEST_SECONDS.labels(route),
        metrics.ROWS_RETURNED.labels(route),
    )
