"""Which web pages of other origins may read the API (API_CORS_ORIGINS). Knows WSGI; knows nothing
of routes."""

from typing import Any

EXPOSED = "Link, ETag, X-Request-Id, X-Complete-From, X-Answered-From, Retry-After"


def cors_headers(origins: tuple[str, ...], environ: dict[str, Any]) -> list[tuple[str, str]]:
    """The headers for this request. `*` allows every origin; without any, browsers let no page of
    another origin read the API."""
    if not origins:
        return []
    origin = environ.get("HTTP_ORIGIN")
    all_allowed = "*" in origins
    headers = [] if all_allowed else [("Vary", "Origin")]
    if origin is None or not (all_allowed or origin in origins):
        return headers
    headers += [
        ("Access-Control-Allow-Origin", "*" if all_allowed else origin),
        ("Access-Control-Expose-Headers", EXPOSED),
    ]
    if environ["REQUEST_METHOD"] == "OPTIONS":
        headers += [
            ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
            ("Access-Control-Allow-Headers", "If-None-Match, X-Request-Id"),
            ("Access-Control-Max-Age", "600"),
        ]
    return headers
