"""What each fault does to the reply of a call. Knows Flask responses; does not decide which call is
affected."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, jsonify, request

from simulator.web.errors import ExchangeError
from simulator.web.fault_kinds import Fault

_FORBIDDEN_PAGE = "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>\n"
_RESTRICTED = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in "
    "https://www.binance.com/en/terms. "
    "Please contact customer service if you believe you received this message in error."
)


def reply_instead(fault: Fault, sleep: Callable[[float], None]) -> Response | None:
    """The reply of a call that `fault` affects; None if the market still answers it. http_429 and
    http_418 open a window; `request_hooks.py` handles those."""
    match fault.kind:
        case "http_403_html":
            return Response(_FORBIDDEN_PAGE, 403, content_type="text/html")
        case "http_451":
            return _json_reply(ExchangeError(451, 0, _RESTRICTED))
        case "http_5xx":
            message = "Server is currently overloaded with other requests. Please try again in a few minutes."
            return _json_reply(ExchangeError(fault.parameters["status"], -1008, message))
        case "timeout":
            sleep(fault.parameters["seconds"])
            message = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
            return _json_reply(ExchangeError(504, -1007, message))
        case "disconnect":
            return Response(_cut_off(b""))
        case "slow":
            sleep(fault.parameters["seconds"])
    return None


def damaged(fault: Fault, reply: Response) -> Response:
    """The market's own reply, changed by `truncated`, `wrong_shape` or `odd_field`; any other fault
    leaves it unchanged."""
    if fault.kind == "truncated":
        return _truncated(reply, fault.parameters["content_length"] == "full")
    if fault.kind == "wrong_shape":
        reply.set_data(json.dumps(_other_shape(fault, reply)))
    if fault.kind == "odd_field":
        reply.set_data(json.dumps(_with_odd_field(json.loads(reply.get_data()), **fault.parameters)))
    return reply


def _truncated(reply: Response, claims_full_length: bool) -> Response:
    whole = reply.get_data()
    half = whole[: len(whole) // 2]
    if not claims_full_length:
        reply.set_data(half)
        return reply
    cut = Response(_cut_off(half), reply.status_code, content_type=reply.content_type)
    cut.headers["Content-Length"] = str(len(whole))
    return cut


def _other_shape(fault: Fault, reply: Response) -> Any:
    if fault.parameters["body"] is not None:
        return fault.parameters["body"]
    return {"unexpected": "object"} if reply.get_data().startswith(b"[") else ["unexpected", "list"]


def _with_odd_field(body: Any, symbol: str, field: str | int, value: Any, missing: bool, which: str) -> Any:
    """The reply with another value in this symbol's entries. Replies about a single symbol do not
    name it in each entry; those about other symbols stay."""
    entries = body.get("symbols", [body]) if isinstance(body, dict) else body
    mine = [entry for entry in entries if _symbol_of(entry) == symbol]
    for entry in {"first": mine[:1], "last": mine[-1:], "all": mine}[which]:
        if missing:
            del entry[field]
        else:
            entry[field] = value
    return body


def _symbol_of(entry: Any) -> str | None:
    named = entry.get("symbol") if isinstance(entry, dict) else None
    return named or request.args.get("symbol")


def _cut_off(sent: bytes) -> Iterator[bytes]:
    """Sends `sent`, then closes the connection, so that the client sees an incomplete reply.
    Headers are sent with the first byte."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")

    def body() -> Iterator[bytes]:
        if sent:
            yield sent
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError("fault: connection closed on purpose")

    return body()


def _json_reply(error: ExchangeError) -> Response:
    reply = jsonify(error.body())
    reply.status_code = error.status
    return reply
