"""The outermost layer: every request gets an id, a line in the log, its metrics and CORS headers,
and an answer of a moment ago is sent from here, before Flask does any work. Knows WSGI; knows
nothing of what is answered."""

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
from pipeline.api.responses import Answer
from pipeline.api.route_specs import ROUTES

log = logging.getLogger(__name__)
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LONGEST_SHOWN = 300
# Where a view leaves the number of rows for the line in the log.
ROWS = "api.rows"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Middleware:
    """A WSGI app around the Flask app."""

    def __init__(self, app: Callable, kept: Cache[Answer], origins: tuple[str, ...]) -> None:
        self._app = app
        self._kept = kept
        self._origins = origins

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        began, identity = time.perf_counter(), request_id(environ)
        always = [("X-Request-Id", identity), *cors_headers(self._origins, environ)]

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            length = next((int(value) for name, value in headers if name == "Content-Length"), 0)
            note(environ, int(status[:3]), length, time.perf_counter() - began, identity)
            return start_response(status, [*headers, *always], *exc_info)

        if environ["REQUEST_METHOD"] == "GET":
            answer = self._kept.peek((environ["PATH_INFO"], environ["QUERY_STRING"]))
            if answer is not None:
                status, headers, body = answer.reply(environ)
                environ[ROWS] = answer.rows
                start(status, headers)
                return [body]
        return self._app(environ, start)


def request_id(environ: Environ) -> str:
    """The client's own when it is harmless, else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if GIVEN_ID.fullmatch(given) else secrets.token_hex(16)


def note(environ: Environ, status: int, length: int, seconds: float, identity: str) -> None:
    """One line in the log, and the metrics."""
    path, rows = environ["PATH_INFO"], environ.get(ROWS, 0)
    requests, took, rows_returned = counters(route_of(path), status)
    requests.inc()
    took.observe(seconds)
    rows_returned.inc(rows)
    log.info(
        "request",
        extra={
            "method": environ["REQUEST_METHOD"],
            "path": path[:LONGEST_SHOWN],
            "query": environ["QUERY_STRING"][:LONGEST_SHOWN],
            "status": status,
            "took_ms": round(seconds * 1000, 1),
            "rows": rows,
            "bytes": length,
            "request_id": identity,
            "client": environ.get("REMOTE_ADDR", "-"),
        },
    )


def route_of(path: str) -> str:
    """The path of the description; unknown ones are without number and count as one."""
    known = path.rstrip("/") or "/"
    return known if known in ROUTES else "unknown"


@lru_cache(maxsize=1000)
def counters(route: str, status: int) -> tuple[Any, Any, Any]:
    """Looked up once: by label it takes longer than to count."""
    return (metrics.REQUESTS.labels(route, status), metrics.REQUEST_SECONDS.labels(route), metrics.ROWS.labels(route))
