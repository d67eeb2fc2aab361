"""The route specifications as an OpenAPI 3.1 document. Knows nothing of Flask or of how rows are
read."""

import re
from typing import Any

from pipeline.api.parameters import Parameter
from pipeline.api.route_specs import (
    COLUMNS,
    COUNT,
    FLAG,
    LEVELS,
    NAMES,
    NUMBER,
    ROUTES,
    TEXT,
    TIME,
    WHOLE,
    Body,
    RouteSpec,
)

VERSION = "1"
LEVEL = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
# Null wherever Cassandra may hold no value.
SCHEMAS: dict[str, dict[str, Any]] = {
    NUMBER: {"type": ["number", "null"]},
    WHOLE: {"type": ["integer", "null"]},
    COUNT: {"type": "integer", "minimum": 0},
    TIME: {"type": ["integer", "null"], "description": "epoch milliseconds"},
    TEXT: {"type": ["string", "null"]},
    FLAG: {"type": ["boolean", "null"]},
    LEVELS: {"type": ["array", "null"], "items": LEVEL, "description": "[price, quantity], best first"},
    NAMES: {"type": "array", "items": {"type": "string"}},
    COLUMNS: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "type": {"type": "string"}},
            "required": ["name", "type"],
        },
    },
}
ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
BAD_PARAMETER = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "parameter": {"type": "string"}},
    "required": ["error", "parameter"],
}


def document() -> dict[str, Any]:
    """The complete document; a new object on each call."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Crypto market data",
            "version": VERSION,
            "description": "Prices, statistics, order books, trades and candles as they arrive. Times are epoch "
            "milliseconds, prices and amounts JSON numbers. Without rows the reply is 200 and an empty array.",
        },
        # Relative to this document's own URL, which may have a prefix in front of it.
        "servers": [{"url": "."}],
        "paths": {path: {"get": operation(route)} for path, route in ROUTES.items()},
    }


def operation(route: RouteSpec) -> dict[str, Any]:
    return {
        "summary": route.summary,
        "description": route.description,
        "operationId": re.sub(r"\W+", "_", route.path.strip("/")).strip("_") or "start_page",
        "parameters": [parameter_object(route, parameter) for parameter in route.parameters],
        "responses": responses(route),
    }


def parameter_object(route: RouteSpec, parameter: Parameter) -> dict[str, Any]:
    in_path = f"{{{parameter.name}}}" in route.path
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": parameter.name in route.required,
        "description": parameter.help,
        "schema": {**parameter.schema, "description": parameter.expected},
    }


def responses(route: RouteSpec) -> dict[str, Any]:
    found = {
        "200": {"description": "Success", "content": content(route), "headers": headers(route)},
        "405": error("Only GET, HEAD and OPTIONS", ERROR),
        "400": error("A parameter is invalid, unknown, repeated or missing", BAD_PARAMETER),
        "500": error("An internal error; details are in the log", ERROR),
    }
    if "{" in route.path:
        found["404"] = error("No such table; /tables lists them", ERROR)
    if route.fresh_seconds:
        found["304"] = {"description": "Unchanged since the ETag in If-None-Match"}
    if route.reads_cassandra:
        found["503"] = error("Cassandra does not answer; try again after Retry-After seconds", ERROR)
        found["503"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return dict(sorted(found.items()))


def error(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def content(route: RouteSpec) -> dict[str, Any]:
    if route.body is Body.HTML:
        return {"text/html": {"schema": {"type": "string"}}}
    if route.body is Body.PLAIN_TEXT:
        return {"text/plain": {"schema": {"type": "string"}}}
    columns = route.all_columns
    row: dict[str, Any] = {
        "type": "object",
        "properties": {name: SCHEMAS[kind] for name, kind in columns.items()},
    }
    return {"application/json": {"schema": row if route.body is Body.OBJECT else {"type": "array", "items": row}}}


def headers(route: RouteSpec) -> dict[str, Any]:
    found = {"X-Request-Id": header("string", "The id that the client sent, or a new one; it is in the log line")}
    if route.fresh_seconds:
        found["ETag"] = header("string", "For If-None-Match")
    if route.current_state:
        found["X-Answered-From"] = header("string", "redis or cassandra, for the current state without a range")
    if route.paginated:
        found["Link"] = header("string", 'rel="next": the path of the next page, if there are more rows')
        found["X-Complete-From"] = header(
            "integer", "With points, if the range was too wide to read at once: rows older than this are missing"
        )
    return found


def header(kind: str, text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": kind}}
