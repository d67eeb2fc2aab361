"""What happens before and after every call: ban windows, weight, faults, headers, the report. Knows
no endpoint.

Before: 1. an open window refuses the call → 2. its weight is charged; exceeding the limit opens a
window → 3. a fault may replace the reply. After: 4. a fault may change the reply → 5. headers → 6.
the report."""

from flask import Flask, Response, g, jsonify, request

from simulator.web import errors, fault_replies
from simulator.web.errors import ExchangeError
from simulator.web.fault_kinds import Fault
from simulator.web.limiter import DEFAULT_RULES, BanRules, Window
from simulator.web.state import State, current_state
from simulator.web.weights import PATHS, weight_of

_WINDOW_STATUS = {"http_429": 429, "http_418": 418}


def install(app: Flask) -> None:
    app.before_request(_before)
    app.after_request(_after)
    app.register_error_handler(ExchangeError, _error_reply)


def _before() -> Response | None:
    g.fault = None
    if request.path not in PATHS:
        return None
    state = current_state()
    now_ms = state.now_ms()
    weight = weight_of(request.path, request.args)
    window = state.limiter.admit(request.path, weight, now_ms, state.foreign_weight(), _ban_rules(state, now_ms))
    if window:
        raise _window_error(state, window, now_ms)
    g.fault = state.faults.fault_for(request.path, now_ms)
    return _affected(state, g.fault, now_ms) if g.fault else None


def _affected(state: State, fault: Fault, now_ms: int) -> Response | None:
    if fault.kind in _WINDOW_STATUS:
        seconds = fault.parameters["retry_after_seconds"]
        raise _window_error(state, state.limiter.open_window(_WINDOW_STATUS[fault.kind], seconds, now_ms), now_ms)
    return fault_replies.reply_instead(fault, state.sleep)


def _after(reply: Response) -> Response:
    state = current_state()
    if g.fault:
        reply = fault_replies.damaged(g.fault, reply)
    reply.headers["X-MBX-USED-WEIGHT-1M"] = str(state.limiter.used(state.now_ms()) + state.foreign_weight())
    reply.headers["X-Data-Source"] = state.source.data_source
    if request.path in PATHS:
        is_cut_off = g.fault is not None and g.fault.kind == "disconnect"
        state.calls.add(request.path, "disconnect" if is_cut_off else str(reply.status_code))
    return reply


def _error_reply(error: ExchangeError) -> Response:
    reply = jsonify(error.body())
    reply.status_code = error.status
    reply.headers.update(error.headers)
    return reply


def _window_error(state: State, window: Window, now_ms: int) -> ExchangeError:
    seconds = window.retry_after_seconds(now_ms)
    return errors.refused(window.status, seconds, window.until_ms, state.limiter.weight_limit)


def _ban_rules(state: State, now_ms: int) -> BanRules:
    changed = state.faults.active("ban_rules", now_ms)
    return BanRules(**changed[-1].parameters) if changed else DEFAULT_RULES
