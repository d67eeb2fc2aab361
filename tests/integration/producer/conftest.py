"""PostgreSQL alone instead of the whole stack, one exchange for all tests, and an empty database
for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.support.producer_faults.world import World

# Polls so fast that no test waits for them; the weight limit of `shared` is never reached.
QUICK = {
    "PRICE_INTERVAL_SECONDS": "0.3",
    "TRACKED_PRICE_INTERVAL_SECONDS": "0.3",
    "STATS_INTERVAL_SECONDS": "1",
    "ORDER_BOOK_INTERVAL_SECONDS": "0.3",
    "TRADES_INTERVAL_SECONDS": "0.3",
    "KLINES_INTERVAL_SECONDS": "0.5",
    "KLINE_INTERVALS": "1m",
    "KLINES_BACKFILL": "1h",
    "TRADES_BACKFILL": "1m",
    "SYMBOLS": "BTCUSDT,ETHUSDT",
}


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("postgres"), ("postgres", "postgres-schema")) as running:
        yield running


@pytest.fixture(scope="package")
def shared(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(stack, tmp_path_factory.mktemp("world"), symbols=12, weight_limit=1_000_000, **QUICK)
    world.exchange.start()
    yield world
    world.close()


@pytest.fixture
def world(shared: World, tmp_path: Path) -> Iterator[World]:
    """No rows, no faults, no recorded calls, a log of its own."""
    shared.log = tmp_path / "producer.log"
    shared.empty()
    shared.exchange.clear()
    shared.exchange.forget()
    yield shared
    shared.exchange.clear()
    shared.end_producer()
