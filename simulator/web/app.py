"""The Flask application: a Source behind the exchange's API. Knows no command line and opens no
port."""

import time
from collections.abc import Callable

from flask import Flask

from simulator.source import Source
from simulator.times import clock_ms
from simulator.web import control_routes, gate, market_routes
from simulator.web.calls import CallReport
from simulator.web.fault_book import FaultBook
from simulator.web.limiter import Limiter
from simulator.web.state import State, keep_state


def create_app(
    source: Source,
    weight_limit: int = 6_000,
    now_ms: Callable[[], int] = clock_ms,
    sleep: Callable[[float], None] = time.sleep,
    fault_seed: int = 7,
) -> Flask:
    """An app of its own with its own limits and faults; several may share one source."""
    app = Flask("simulator", static_folder=None)
    app.json.sort_keys = False  # the exchange's order of fields
    app.json.compact = True
    keep_state(app, State(source, Limiter(weight_limit), FaultBook(fault_seed), CallReport(), now_ms, sleep))
    gate.install(app)
    app.register_blueprint(market_routes.routes)
    app.register_blueprint(control_routes.routes)
    return app
