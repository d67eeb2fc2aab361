"""Markets and apps for the simulator's tests: a fixed time, a small market, recordings."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from simulator.market.random_market import RandomMarket
from simulator.replay.replay_market import ReplayMarket
from simulator.source import MarketSource
from simulator.web.app import create_app

NOW_MS = 1_795_462_012_345  # 2026-11-23T19:26:52Z, inside a minute
REPLAY_START_MS = 1_795_460_000_000  # 20 s into a minute
REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLES = REPOSITORY / "tests" / "data" / "replay"  # the first rows of the recordings
RECORDINGS = REPOSITORY / "examples" / "replay"


@dataclass
class Clock:
    """A clock that only moves when it is set; `slept`: the waits that the app asked for."""

    now_ms: int = NOW_MS
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture(scope="session")
def market() -> RandomMarket:
    return RandomMarket(seed=7, symbol_count=60)


@pytest.fixture(scope="session")
def replay() -> ReplayMarket:
    return ReplayMarket(SAMPLES, REPLAY_START_MS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client_of(source: MarketSource, clock: Clock, weight_limit: int = 6_000) -> FlaskClient:
    return create_app(source, weight_limit, now_ms=clock, sleep=clock.slept.append).test_client()


@pytest.fixture
def client(market: RandomMarket, clock: Clock) -> FlaskClient:
    return client_of(market, clock)
