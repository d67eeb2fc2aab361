"""The Flask app: every route of route_specs.py, cached responses, one shape for every error. Knows
HTTP; what a route reads is in routes.py."""

import logging
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, request
from flask.json.provider import JSONProvider
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from pipeline.api.cache import Cache
from pipeline.api.fields import with_fields
from pipeline.api.freshness_metrics import freshness_registry
from pipeline.api.instruments import Instruments
from pipeline.api.market_page import MarketPage, add_static_files
from pipeline.api.max_age import RESPONSE_FRESH_SECONDS, ROWS_FRESH_SECONDS
from pipeline.api.middleware import ROW_COUNT, Environ, Middleware, StartResponse
from pipeline.api.openapi import document
from pipeline.api.pages import docs_page, start_page
from pipeline.api.query import BadParameter, read_query
from pipeline.api.responses import EncodedResponse, Rows
from pipeline.api.route_specs import ROUTES, TABLE_PATH, Body, RouteSpec
from pipeline.api.routes import Arguments, Handler, Routes
from pipeline.api.store import CassandraStore, CurrentStateOnly, Store
from pipeline.api.table_view import TableView
from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings

log = logging.getLogger(__name__)

MAX_CACHED_BYTES = 64 * 1024 * 1024
RETRY_AFTER_SECONDS = 2


class OrjsonProvider(JSONProvider):
    """Encodes the errors, which are dicts; rows are encoded in responses.py."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs)) + b"\n"
        return Response(body, mimetype="application/json")


class ApiApp(Flask):
    """Flask behind our middleware."""

    json_provider_class = OrjsonProvider

    def __init__(self, cache: Cache[EncodedResponse], cors_origins: tuple[str, ...]) -> None:
        super().__init__("cassandra_api", static_folder=None)
        self.url_map.strict_slashes = False  # /klines/ is /klines
        self._middleware = Middleware(super().wsgi_app, cache, cors_origins)

    def wsgi_app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return self._middleware(environ, start_response)


def create_app(settings: Settings, store: Store | None = None) -> Flask:
    """The app. It starts without Cassandra and answers 503 until Cassandra is available."""
    routes = Routes(settings, store or CassandraStore(settings))
    cache: Cache[EncodedResponse] = Cache(
        "answers", RESPONSE_FRESH_SECONDS, MAX_CACHED_BYTES, size=lambda response: response.size
    )
    app = ApiApp(cache, settings.API_CORS_ORIGINS)
    page = MarketPage()
    for path, handler in {**routes.handlers(), **pages(routes, page)}.items():
        app.add_url_rule(path, path, View(ROUTES[path], handler, cache, routes.instruments).respond)
    table_view = TableView(ROUTES[TABLE_PATH], routes.mirrored, cache)
    app.add_url_rule("/tables/<name>", TABLE_PATH, table_view.respond)
    add_static_files(app, page)
    app.register_error_handler(BadParameter, bad_parameter)
    app.register_error_handler(StoreUnavailable, store_unavailable)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)
    return app


def pages(routes: Routes, page: MarketPage) -> dict[str, Handler]:
    """The handlers of the pages for people and of the routes about the API itself, by path."""
    registry = freshness_registry(routes.freshness)
    # To make this text takes as long as ten answers.
    texts: Cache[EncodedResponse] = Cache("metrics", ROWS_FRESH_SECONDS, max_size=1)

    def metrics_text() -> EncodedResponse:
        return EncodedResponse(generate_latest() + generate_latest(registry), CONTENT_TYPE_LATEST)

    return {
        "/metrics": lambda query, _: texts.get_or_read("text", metrics_text),
        "/openapi.json": lambda query, _: EncodedResponse.of_object(document()),
        "/docs": lambda query, _: EncodedResponse(docs_page(document()), "text/html"),
        "/market": lambda query, _: page.html(),
        "/": lambda query, _: EncodedResponse(start_page(routes.freshness), "text/html"),
    }


class View:
    """One route's view function: validates the query, calls the handler, caches its response."""

    def __init__(
        self, route: RouteSpec, handler: Handler, cache: Cache[EncodedResponse], instruments: Instruments
    ) -> None:
        self._route = route
        self._handler = handler
        self._cache = cache
        self._instruments = instruments

    def respond(self) -> Response:
        environ = request.environ
        if self._route.body is Body.HTML and environ["PATH_INFO"] != self._route.path:
            return without_slash(self._route.path, environ["QUERY_STRING"])
        arguments = list(request.args.items(multi=True))
        if self._route.fresh_seconds:
            key = (self._route.path, environ["QUERY_STRING"])
            response = self._cache.get_or_read(key, partial(self._handle, arguments))
        else:
            response = self._handle(arguments)
        environ[ROW_COUNT] = response.rows
        status, headers, body = response.for_request(environ)
        return Response(body, status, headers)

    def _handle(self, arguments: Arguments) -> EncodedResponse:
        query = read_query(arguments, self._route.parameters, self._route.required)
        found = self._handler(query, arguments)
        if isinstance(found, Rows):
            rows = with_fields(found.rows, query.fields, self._instruments.of) if query.fields else found.rows
            found = EncodedResponse.of_rows(rows, **found.headers)
        return found.fresh_for(self._route.fresh_seconds)


def without_slash(path: str, query: str) -> Response:
    """From /docs/ to /docs, because the links of a page are relative to its path. Relative itself,
    because a proxy may have taken a prefix off the path."""
    return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"..{path}{query and '?'}{query}"})


def error(status: HTTPStatus, message: str, **more: object) -> tuple[dict[str, object], int]:
    """Every error's body: {"error": …} and, for a 400, {"parameter": …}."""
    return {"error": message, **more}, status


def bad_parameter(problem: BadParameter) -> tuple[dict[str, object], int]:
    return error(HTTPStatus.BAD_REQUEST, str(problem), parameter=problem.parameter)


def store_unavailable(problem: StoreUnavailable) -> tuple[dict[str, object], int, dict[str, str]]:
    # DEBUG, because store.py logs when Cassandra becomes unavailable and when it has recovered.
    log.debug("request_failed", extra={"error": str(problem)})
    message = "the store does not answer; try again shortly"
    if isinstance(problem, CurrentStateOnly):
        message = "Cassandra does not answer; the current state is served from Redis"
    body, status = error(HTTPStatus.SERVICE_UNAVAILABLE, message)
    return body, status, {"Retry-After": str(RETRY_AFTER_SECONDS)}


def http_error(problem: HTTPException) -> tuple[dict[str, object], int, list[tuple[str, str]]]:
    """404, 405 and the like, with the headers that they require (Allow)."""
    body, status = error(HTTPStatus(problem.code or 500), problem.description or problem.name)
    return body, status, [header for header in problem.get_headers() if header[0] != "Content-Type"]


def unexpected(problem: Exception) -> tuple[dict[str, object], int]:
    log.error("unexpected_error", exc_info=problem)
    return error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error; it is in the log")
