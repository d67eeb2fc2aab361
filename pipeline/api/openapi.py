"""The routes' description as an OpenAPI 3.1 document. Knows nothing of Flask and of how rows are
read."""

from typing import Any

from pipeline.api.parameters import Parameter
from pipeline.api.route_specs import (
    COUNT,
    FLAG,
    LEVELS,
    NUMBER,
    OBJECT,
    PAGE,
    PLAIN,
    ROUTES,
    ROWS,
    TEXT,
    TIME,
    WHOLE,
    Route,
)

VERSION = "1"
LEVEL = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
# Null wherever the store may hold none.
SCHEMAS: dict[str, dict[str, Any]] = {
    NUMBER: {"type": ["number", "null"]},
    WHOLE: {"type": ["integer", "null"]},
    COUNT: {"type": "integer", "minimum": 0},
    TIME: {"type": ["integer", "null"], "description": "epoch milliseconds"},
    TEXT: {"type": ["string", "null"]},
    FLAG: {"type": ["boolean", "null"]},
    LEVELS: {"type": ["array", "null"], "items": LEVEL, "description": "[price, quantity], best first"},
}
ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
BAD_PARAMETER = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "parameter": {"type": "string"}},
    "required": ["error", "parameter"],
}


def document() -> dict[str, Any]:
    """The whole document, made anew."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Crypto market data",
            "version": VERSION,
            "description": "Prices, statistics, order books, trades and candles as they arrive. Times are epoch "
            "milliseconds, prices and amounts JSON numbers. No rows are 200 and an empty array.",
        },
        "paths": {path: {"get": operation(route)} for path, route in ROUTES.items()},
    }


def operation(route: Route) -> dict[str, Any]:
    return {
        "summary": route.summary,
        "description": route.text,
        "operationId": route.path.strip("/").replace(".", "_") or "start_page",
        "parameters": [parameter(route, each) for each in route.parameters],
        "responses": responses(route),
    }


def parameter(route: Route, each: Parameter) -> dict[str, Any]:
    return {
        "name": each.name,
        "in": "query",
        "required": each.name in route.required,
        "description": each.help,
        "schema": {**each.schema, "description": each.expected},
    }


def responses(route: Route) -> dict[str, Any]:
    found = {
        "200": {"description": "The answer", "content": content(route), "headers": headers(route)},
        "405": error("Only GET, HEAD and OPTIONS", ERROR),
        "400": error("A parameter that cannot be used, is unknown or is repeated", BAD_PARAMETER),
        "500": error("An error of ours; it is in the log", ERROR),
    }
    if route.fresh_seconds:
        found["304"] = {"description": "Not changed since the ETag of If-None-Match"}
    if route.store:
        found["503"] = error("The store does not answer; try again after Retry-After seconds", ERROR)
        found["503"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return dict(sorted(found.items()))


def error(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def content(route: Route) -> dict[str, Any]:
    if route.body == PAGE:
        return {"text/html": {"schema": {"type": "string"}}}
    if route.body == PLAIN:
        return {"text/plain": {"schema": {"type": "string"}}}
    row = {
        "type": "object",
        "properties": {name: SCHEMAS[kind] for name, kind in (route.columns | route.sometimes).items()},
    }
    if not route.sometimes:
        row["required"] = list(route.columns)
    return {"application/json": {"schema": row if route.body == OBJECT else {"type": "array", "items": row}}}


def headers(route: Route) -> dict[str, Any]:
    found = {"X-Request-Id": header("string", "The request's own, or one of ours; it is in the log line")}
    if route.fresh_seconds:
        found["ETag"] = header("string", "For If-None-Match")
    if route.pages:
        found["Link"] = header("string", 'rel="next": where the next page is, when there are more rows')
        found["X-Complete-From"] = header(
            "integer", "With points, when the range was too wide to read at once: what is older than this is left out"
        )
    assert route.body in (ROWS, OBJECT, PAGE, PLAIN)
    return found


def header(kind: str, text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": kind}}
