"""What the parts of the HTTP layer share while the simulator runs, stored in the Flask app. Knows
no route."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app

from simulator.source import MarketSource
from simulator.web.calls import CallReport
from simulator.web.fault_book import FaultBook
from simulator.web.limiter import Limiter

_KEY = "simulator"


@dataclass(frozen=True, slots=True)
class State:
    """Clock and sleep are passed in, so that tests can replace both."""

    source: MarketSource
    limiter: Limiter
    faults: FaultBook
    calls: CallReport
    now_ms: Callable[[], int]
    sleep: Callable[[float], None]

    def foreign_weight(self) -> int:
        """Weight that other programs behind this address use per minute (fault `used_weight`)."""
        return sum(fault.parameters["weight"] for fault in self.faults.active("used_weight", self.now_ms()))


def store_state(app: Flask, state: State) -> None:
    app.extensions[_KEY] = state


def current_state() -> State:
    """The state of the app that handles the current request."""
    return current_app.extensions[_KEY]
