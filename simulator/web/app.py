"""The Flask application: a MarketSource behind the exchange's API. Knows no command line and opens
no port."""

import time
from collections.abc import Callable

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from simulator.source import MarketSource
from simulator.times import clock_ms
from simulator.web import control_routes, market_routes, request_hooks
from simulator.web.calls import CallReport
from simulator.web.fault_book import FaultBook
from simulator.web.limiter import Limiter
from simulator.web.state import State, store_state


def create_app(
    source: MarketSource,
    weight_limit: int = 6_000,
    now_ms: Callable[[], int] = clock_ms,
    sleep: Callable[[float], None] = time.sleep,
    fault_seed: int = 7,
) -> Flask:
    """A new app with its own limits and faults; several may share one source."""
    app = Flask("simulator", static_folder=None)
    json_provider = DefaultJSONProvider(app)
    json_provider.sort_keys = False  # the exchange's order of fields
    json_provider.compact = True
    app.json = json_provider
    store_state(app, State(source, Limiter(weight_limit), FaultBook(fault_seed), CallReport(), now_ms, sleep))
    request_hooks.install(app)
    app.register_blueprint(market_routes.routes)
    app.register_blueprint(control_routes.routes)
    return app
