"""The Flask app: every route of the description, answers kept for a moment, one shape for every
error. Knows HTTP; what is read is in routes.py."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, request
from flask.json.provider import JSONProvider
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from pipeline.api.cache import Cache
from pipeline.api.freshness_metrics import registry_of
from pipeline.api.middleware import ROWS, Middleware
from pipeline.api.openapi import document
from pipeline.api.pages import docs_page, start_page
from pipeline.api.query import BadParameter, read_query
from pipeline.api.responses import Answer
from pipeline.api.route_specs import ROUTES, Route
from pipeline.api.routes import Arguments, Handler, Routes
from pipeline.api.store import Store
from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings

log = logging.getLogger(__name__)

# Fresh for so long, and for as long again given while it is read anew (shared.py). With that of the
# rows below it (market.py) an answer is at most a second old.
KEPT_SECONDS = 0.35
KEPT_BYTES = 64 * 1024 * 1024
RETRY_AFTER_SECONDS = 2


class OrjsonProvider(JSONProvider):
    """Errors are dicts; answers are encoded in answers.py."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs)) + b"\n"
        return Response(body, mimetype="application/json")


class CryptoFlask(Flask):
    json_provider_class = OrjsonProvider


def create_app(settings: Settings, store: Store | None = None) -> Flask:
    """The app; it starts without Cassandra and answers 503 until that is there."""
    store = store or Store(settings)
    app = CryptoFlask("cassandra_api", static_folder=None)
    app.url_map.strict_slashes = False  # /klines/ is /klines
    routes = Routes(settings, store)
    kept: Cache[Answer] = Cache("answers", KEPT_SECONDS, KEPT_BYTES, size=lambda answer: answer.size)
    for path, handler in {**routes.handlers(), **own_pages(routes)}.items():
        app.add_url_rule(path, path, view(ROUTES[path], handler, kept))
    app.register_error_handler(BadParameter, bad_parameter)
    app.register_error_handler(StoreUnavailable, store_unavailable)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)
    app.wsgi_app = Middleware(app.wsgi_app, kept, settings.API_CORS_ORIGINS)
    return app


def own_pages(routes: Routes) -> dict[str, Handler]:
    """What is said about the API itself."""
    ages = registry_of(routes.freshness)
    return {
        "/metrics": lambda query, _: Answer(generate_latest() + generate_latest(ages), CONTENT_TYPE_LATEST),
        "/openapi.json": lambda query, _: Answer.of_object(document()),
        "/docs": lambda query, _: Answer(docs_page(document()), "text/html"),
        "/": lambda query, _: Answer(start_page(routes.freshness), "text/html"),
    }


def view(route: Route, handler: Handler, kept: Cache[Answer]) -> Callable[[], Response]:
    """One request: the answer to the same question of a moment ago, or a new one."""

    def make(arguments: Arguments) -> Answer:
        query = read_query(arguments, route.parameters, route.required)
        return handler(query, arguments).fresh_for(route.fresh_seconds)

    def answer() -> Response:
        environ, arguments = request.environ, list(request.args.items(multi=True))
        key = (route.path, environ["QUERY_STRING"])
        found = kept.get(key, lambda: make(arguments)) if route.fresh_seconds else make(arguments)
        environ[ROWS] = found.rows
        status, headers, body = found.reply(environ)
        return Response(body, status, headers)

    return answer


def error(status: HTTPStatus, message: str, **more: object) -> tuple[dict[str, object], int]:
    """Every error's body: {"error": …} and, for a 400, {"parameter": …}."""
    return {"error": message, **more}, status


def bad_parameter(problem: BadParameter) -> tuple[dict[str, object], int]:
    return error(HTTPStatus.BAD_REQUEST, str(problem), parameter=problem.parameter)


def store_unavailable(problem: StoreUnavailable) -> tuple[dict[str, object], int, dict[str, str]]:
    # The store's file says when it goes and when it is back.
    log.debug("store_unavailable", extra={"error": str(problem)})
    body, status = error(HTTPStatus.SERVICE_UNAVAILABLE, "the store does not answer; try again shortly")
    return body, status, {"Retry-After": str(RETRY_AFTER_SECONDS)}


def http_error(problem: HTTPException) -> tuple[dict[str, object], int, list[tuple[str, str]]]:
    """404, 405 and the like, with the headers they need (Allow)."""
    body, status = error(HTTPStatus(problem.code or 500), problem.description or problem.name)
    return body, status, [header for header in problem.get_headers() if header[0] != "Content-Type"]


def unexpected(problem: Exception) -> tuple[dict[str, object], int]:
    log.error("unexpected_error", exc_info=problem)
    return error(HTTPStatus.INTERNAL_SERVER_ERROR, "an error of ours; it is in the log")
