"""Everything under /sim: faults on and off, the report, what is replayed. Not part of the exchange;
free of limits."""

from flask import Blueprint, Response, jsonify, request

from simulator.replay.replay_market import ReplayMarket
from simulator.source import Reply
from simulator.web.fault_kinds import BadFault
from simulator.web.state import state

routes = Blueprint("control", __name__, url_prefix="/sim")


@routes.post("/faults")
def switch_on() -> tuple[Response, int]:
    """One fault as a JSON object, or several as a list (all or none)."""
    here = state()
    body = request.get_json(force=True, silent=True)
    requests = body if isinstance(body, list) else [body]
    kinds = [one.get("kind") for one in requests if isinstance(one, dict)]
    if "new_symbol" in kinds and not here.source.invents_symbols:
        return _bad("new_symbol: a replay shows recorded symbols only and invents none")
    try:
        faults = here.faults.switch_on(requests, here.now_ms())
    except BadFault as reason:
        return _bad(str(reason))
    return jsonify([here.faults.show(fault, here.now_ms()) for fault in faults]), 201


@routes.get("/faults")
def show_faults() -> Response:
    return jsonify(state().faults.shown(state().now_ms()))


@routes.delete("/faults")
def clear_faults() -> Response:
    """All faults off, and the window that one of them (or too much weight) opened closed."""
    here = state()
    here.faults.clear()
    here.limiter.close_window()
    return jsonify([])


@routes.get("/report")
def report() -> Response:
    here = state()
    now_ms, limiter = here.now_ms(), here.limiter
    window = limiter.window(now_ms)
    return jsonify(
        {
            "calls": here.calls.by_path(),
            "violation_count": limiter.violation_count,
            "violations": [
                {"time_ms": one.time_ms, "path": one.path, "status": one.status} for one in list(limiter.violations)
            ],
            "weight_limit": limiter.weight_limit,
            "max_used_weight": limiter.largest_used,
            "minutes": [{"minute_ms": minute_ms, "weight": weight} for minute_ms, weight in limiter.minutes()],
            "window": window and {"status": window.status, "until_ms": window.until_ms},
        }
    )


@routes.delete("/report")
def forget_report() -> Response:
    """Counts start again at zero, for the next test; an open window is closed too."""
    here = state()
    here.calls.forget()
    here.limiter.forget()
    return jsonify({})


@routes.get("/replay")
def replay() -> Response | tuple[Response, int]:
    source = state().source
    if not isinstance(source, ReplayMarket):
        return jsonify({"error": "nothing is replayed: start with --replay DIR"}), 404
    shown: Reply = {
        listing.symbol: {"shift_ms": source.shift_ms(listing.symbol), "files": source.files(listing.symbol)}
        for listing in source.symbols()
    }
    return jsonify(shown)


def _bad(text: str) -> tuple[Response, int]:
    return jsonify({"error": text}), 400
