"""Which web pages of other origins may read the API (API_CORS_ORIGINS). Knows WSGI; knows nothing
of routes."""

from typing import Any

EXPOSED = "Link, ETag, X-Request-Id, X-Complete-From, Retry-After"


def cors_headers(origins: tuple[str, ...], environ: dict[str, Any]) -> list[tuple[str, str]]:
    """The headers for this request: `*` allows every origin; with none, browsers keep other pages
    out."""
    if not origins:
        return []
    origin, every = environ.get("HTTP_ORIGIN"), "*" in origins
    headers = [] if every else [("Vary", "Origin")]
    if origin is None or not (every or origin in origins):
        return headers
    headers += [
        ("Access-Control-Allow-Origin", "*" if every else origin),
        ("Access-Control-Expose-Headers", EXPOSED),
    ]
    if environ["REQUEST_METHOD"] == "OPTIONS":
        headers += [
            ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
            ("Access-Control-Allow-Headers", "If-None-Match, X-Request-Id"),
            ("Access-Control-Max-Age", "600"),
        ]
    return headers
