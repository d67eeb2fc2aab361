"""Which web pages of other origins may read the API (API_CORS_ORIGINS). Knows Flask; knows nothing of routes."""

from flask import Flask, Response, request

EXPOSED = "Link, ETag, X-Request-Id, X-Complete-From, Retry-After"


def allow_origins(app: Flask, origins: tuple[str, ...]) -> None:
    """Adds the headers for these origins (`*`: all); with none, browsers keep other pages out."""
    if not origins:
        return

    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is None or not ("*" in origins or origin in origins):
            return response
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "If-None-Match, X-Request-Id"
            response.headers["Access-Control-Max-Age"] = "600"
        return response

    app.after_request(allow)
