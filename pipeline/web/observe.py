"""What is noted of every request: its id, one line in the log, the metrics. Knows Flask; knows nothing of routes."""

import logging
import re
import time
import uuid

from flask import Flask, Response, g, request

from pipeline.web import metrics

log = logging.getLogger(__name__)
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LONGEST_SHOWN = 300


def observe(app: Flask) -> None:
    """Adds both ends of every request to the app."""
    app.before_request(begin)
    app.after_request(end)


def begin() -> None:
    g.began = time.perf_counter()


def request_id() -> str:
    """The client's own when it is harmless, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


def end(response: Response) -> Response:
    seconds = time.perf_counter() - g.began
    # The rule and not the path: unknown paths are without number.
    route = request.url_rule.rule if request.url_rule is not None else "unknown"
    identity, rows = request_id(), g.get("rows", 0)
    response.headers["X-Request-Id"] = identity
    metrics.REQUESTS.labels(route, response.status_code).inc()
    metrics.REQUEST_SECONDS.labels(route).observe(seconds)
    metrics.ROWS.labels(route).inc(rows)
    log.info(
        "request",
        extra={
            "method": request.method,
            "path": request.path[:LONGEST_SHOWN],
            "query": request.query_string.decode("latin-1")[:LONGEST_SHOWN],
            "status": response.status_code,
            "took_ms": round(seconds * 1000, 1),
            "rows": rows,
            "bytes": response.content_length,
            "request_id": identity,
            "client": request.remote_addr,
        },
    )
    return response
