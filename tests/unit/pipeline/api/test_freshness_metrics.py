"""The age of each table as a metric, and whether it is late."""

import pytest

from pipeline.api.freshness_metrics import freshness_registry
from pipeline.errors import StoreUnavailable

ROWS = [
    {"table": "klines", "age_seconds": 3.0, "late": False},
    {"table": "recent_trades", "age_seconds": 99.0, "late": True},
    {"table": "order_book", "age_seconds": None, "late": True},
]


class FakeFreshness:
    """Returns ROWS; `newest_times` are the arguments of `rows_of`."""

    def __init__(self) -> None:
        self.unavailable = False
        self.newest_times = []

    def newest(self) -> dict[str, int]:
        if self.unavailable:
            raise StoreUnavailable("unavailable")
        return {"klines": 1}

    def rows_of(self, newest: dict[str, int]) -> list[dict]:
        self.newest_times.append(newest)
        return ROWS


@pytest.fixture
def freshness() -> FakeFreshness:
    return FakeFreshness()


@pytest.mark.parametrize(
    ("table", "age", "late"), [("klines", 3.0, 0.0), ("recent_trades", 99.0, 1.0), ("order_book", None, 1.0)]
)
def test_age_and_lateness_are_those_of_freshness(
    freshness: FakeFreshness, table: str, age: float | None, late: float
) -> None:
    registry = freshness_registry(freshness)
    assert registry.get_sample_value("api_newest_row_age_seconds", {"table": table}) == age
    assert registry.get_sample_value("api_newest_row_late", {"table": table}) == late


def test_rows_last_seen_keep_ageing_while_the_store_is_unavailable(freshness: FakeFreshness) -> None:
    registry = freshness_registry(freshness)
    list(registry.collect())
    freshness.unavailable = True
    list(registry.collect())
    assert freshness.newest_times == [{"klines": 1}, {"klines": 1}]
