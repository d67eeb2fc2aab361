"""What every call passes on its way in and out: ban windows, weight, faults, headers, the report.
Knows no endpoint.

In: 1. an open window refuses → 2. weight is charged, over the limit a window opens → 3. a fault may
strike. Out: 4. a fault may spoil the reply → 5. headers → 6. the report."""

from flask import Flask, Response, g, jsonify, request

from simulator.web import errors, fault_replies
from simulator.web.errors import ExchangeError
from simulator.web.fault_kinds import Fault
from simulator.web.limiter import DEFAULT_RULES, BanRules, Window
from simulator.web.state import State, state
from simulator.web.weights import PATHS, weight_of

_WINDOW_STATUS = {"http_429": 429, "http_418": 418}


def install(app: Flask) -> None:
    app.before_request(_enter)
    app.after_request(_leave)
    app.register_error_handler(ExchangeError, _refusal)


def _enter() -> Response | None:
    g.fault = None
    if request.path not in PATHS:
        return None
    here, now_ms = state(), state().now_ms()
    weight = weight_of(request.path, request.args)
    window = here.limiter.admit(request.path, weight, now_ms, here.foreign_weight(), _ban_rules(here, now_ms))
    if window:
        raise _refused(here, window, now_ms)
    g.fault = here.faults.strike(request.path, now_ms)
    return _struck(here, g.fault, now_ms) if g.fault else None


def _struck(here: State, fault: Fault, now_ms: int) -> Response | None:
    if fault.kind in _WINDOW_STATUS:
        seconds = fault.parameters["retry_after_seconds"]
        raise _refused(here, here.limiter.open_window(_WINDOW_STATUS[fault.kind], seconds, now_ms), now_ms)
    return fault_replies.reply_instead(fault, here.sleep)


def _leave(reply: Response) -> Response:
    here = state()
    if g.fault:
        reply = fault_replies.damaged(g.fault, reply)
    reply.headers["X-MBX-USED-WEIGHT-1M"] = str(here.limiter.used(here.now_ms()) + here.foreign_weight())
    reply.headers["X-Data-Source"] = here.source.data_source
    if request.path in PATHS:
        is_cut_off = g.fault is not None and g.fault.kind == "disconnect"
        here.calls.add(request.path, "disconnect" if is_cut_off else str(reply.status_code))
    return reply


def _refusal(error: ExchangeError) -> Response:
    reply = jsonify(error.body())
    reply.status_code = error.status
    reply.headers.update(error.headers)
    return reply


def _refused(here: State, window: Window, now_ms: int) -> ExchangeError:
    seconds = window.retry_after_seconds(now_ms)
    return errors.refused(window.status, seconds, window.until_ms, here.limiter.weight_limit)


def _ban_rules(here: State, now_ms: int) -> BanRules:
    changed = here.faults.active("ban_rules", now_ms)
    return BanRules(**changed[-1].parameters) if changed else DEFAULT_RULES
