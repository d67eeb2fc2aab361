"""The age of each table as a metric, and whether that is late."""

import pytest

from pipeline.api.freshness_metrics import freshness_registry
from pipeline.errors import StoreUnavailable

ROWS = [
    {"table": "klines", "age_seconds": 3.0, "late": False},
    {"table": "recent_trades", "age_seconds": 99.0, "late": True},
    {"table": "order_book", "age_seconds": None, "late": True},
]


class Rows:
    """A freshness that says what it is told; `known` are the times it was asked to judge."""

    def __init__(self) -> None:
        self.away = False
        self.known = []

    def newest(self) -> dict[str, int]:
        if self.away:
            raise StoreUnavailable("away")
        return {"klines": 1}

    def rows_of(self, newest: dict[str, int]) -> list[dict]:
        self.known.append(newest)
        return ROWS


@pytest.fixture
def freshness() -> Rows:
    return Rows()


@pytest.mark.parametrize(
    ("table", "age", "late"), [("klines", 3.0, 0.0), ("recent_trades", 99.0, 1.0), ("order_book", None, 1.0)]
)
def test_age_and_lateness_are_those_of_freshness(freshness: Rows, table: str, age: float | None, late: float) -> None:
    registry = freshness_registry(freshness)
    assert registry.get_sample_value("api_newest_row_age_seconds", {"table": table}) == age
    assert registry.get_sample_value("api_newest_row_late", {"table": table}) == late


def test_rows_last_seen_are_judged_while_the_store_is_away(freshness: Rows) -> None:
    registry = freshness_registry(freshness)
    list(registry.collect())
    freshness.away = True
    list(registry.collect())
    assert freshness.known == [{"klines": 1}, {"klines": 1}]
