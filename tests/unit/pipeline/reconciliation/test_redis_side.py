"""What is compared with Redis, and what is said of rows that could not be repaired."""

from types import SimpleNamespace
from typing import Any

import pytest
from redis import Redis

from pipeline.errors import StoreUnavailable
from pipeline.reconciliation import redis_side
from pipeline.reconciliation.expectation import Expected
from pipeline.reconciliation.reconcile import reasons
from pipeline.reconciliation.redis_side import RedisSide
from pipeline.reconciliation.settle import Difference
from pipeline.reconciliation.targets import Pair, Way
from pipeline.settings import load


@pytest.fixture
def side(monkeypatch: pytest.MonkeyPatch) -> RedisSide:
    """Beside a Redis that does not answer, and tables of which Redis has two."""
    captured = {"latest_prices", "order_book", "klines", "orders"}
    monkeypatch.setattr(redis_side, "captured_tables", lambda connection: captured)
    sides: Any = SimpleNamespace(connection=None)
    return RedisSide(load("auditor", environ={}, dotenv="/dev/null"), sides, Redis(port=1))


@pytest.mark.parametrize("names", [None, frozenset({"latest_prices", "klines"})])
def test_a_redis_that_does_not_answer_is_an_outage(side: RedisSide, names: frozenset[str] | None) -> None:
    with pytest.raises(StoreUnavailable, match=r"Redis: ConnectionError"):
        side.targets(names)


def test_redis_is_not_asked_about_tables_that_it_does_not_keep(side: RedisSide) -> None:
    assert side.targets(frozenset({"klines", "orders", "market_now"})) == []


@pytest.mark.parametrize(
    ("pair", "store", "reason"),
    [
        (Pair("", "", ""), "Redis", "Redis has them with a version that is later than PostgreSQL's clock;"),
        (Pair("", "", "", Way.NEWEST), "Cassandra", "later than PostgreSQL's clock, or a newer row of history;"),
    ],
)
def test_the_reason_names_the_store(pair: Pair, store: str, reason: str) -> None:
    target: Any = SimpleNamespace(pair=pair, stored=SimpleNamespace(store=store))
    left = [Difference((b"A",), Expected((b"A",), (b"A", b"1")), None)] * 3
    ((found, count),) = reasons(target, left).items()
    assert count == 3
    assert reason in found
