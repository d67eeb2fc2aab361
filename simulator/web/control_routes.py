"""Everything under /sim: faults on and off, the report, the replayed files. Not part of the
exchange's API and not limited."""

from flask import Blueprint, Response, jsonify, request

from simulator.replay.replay_market import ReplayMarket
from simulator.source import Reply
from simulator.web.fault_kinds import BadFault
from simulator.web.state import current_state

routes = Blueprint("control", __name__, url_prefix="/sim")


@routes.post("/faults")
def switch_on() -> tuple[Response, int]:
    """One fault as a JSON object, or several as a list (all or none)."""
    state = current_state()
    body = request.get_json(force=True, silent=True)
    requests = body if isinstance(body, list) else [body]
    kinds = [one.get("kind") for one in requests if isinstance(one, dict)]
    if "new_symbol" in kinds and not state.source.invents_symbols:
        return _bad("new_symbol: a replay has only the recorded symbols")
    try:
        faults = state.faults.switch_on(requests, state.now_ms())
    except BadFault as reason:
        return _bad(str(reason))
    return jsonify([state.faults.show(fault, state.now_ms()) for fault in faults]), 201


@routes.get("/faults")
def show_faults() -> Response:
    state = current_state()
    return jsonify(state.faults.shown(state.now_ms()))


@routes.delete("/faults")
def clear_faults() -> Response:
    """Switches all faults off and ends the 429 or 418 window that a fault or too much weight
    opened."""
    state = current_state()
    state.faults.clear()
    state.limiter.end_window()
    return jsonify([])


@routes.get("/report")
def report() -> Response:
    state = current_state()
    now_ms, limiter = state.now_ms(), state.limiter
    window = limiter.window(now_ms)
    return jsonify(
        {
            "calls": state.calls.by_path(),
            "violation_count": limiter.violation_count,
            "violations": [
                {"time_ms": one.time_ms, "path": one.path, "status": one.status} for one in list(limiter.violations)
            ],
            "weight_limit": limiter.weight_limit,
            "max_used_weight": limiter.max_used_weight,
            "minutes": [{"minute_ms": minute_ms, "weight": weight} for minute_ms, weight in limiter.minutes()],
            "window": window and {"status": window.status, "until_ms": window.until_ms},
        }
    )


@routes.delete("/report")
def reset_report() -> Response:
    """Sets all counts to zero, for the next test; also ends a 429 or 418 window."""
    state = current_state()
    state.calls.reset()
    state.limiter.reset()
    return jsonify({})


@routes.get("/replay")
def replay() -> Response | tuple[Response, int]:
    source = current_state().source
    if not isinstance(source, ReplayMarket):
        return jsonify({"error": "nothing is replayed: start with --replay DIR"}), 404
    shown: Reply = {
        listing.symbol: {"shift_ms": source.shift_ms(listing.symbol), "files": source.files(listing.symbol)}
        for listing in source.symbols()
    }
    return jsonify(shown)


def _bad(text: str) -> tuple[Response, int]:
    return jsonify({"error": text}), 400
