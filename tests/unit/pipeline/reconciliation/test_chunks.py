"""Which rows are compared: not those that are gone on purpose."""

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.consumer.cql_numbers import bigint
from pipeline.reconciliation import chunks
from pipeline.reconciliation.targets import OWN_PAIRS, Pair, Way, pairs_of
from pipeline.reconciliation.window import Window
from pipeline.times import DAY_MS, HOUR_MS, ms_to_datetime
from pipeline.transformations import TRANSFORMATIONS, mirror

NOW_MS = 1_795_687_200_000  # 2026-11-26T10:00Z
DAY_START_MS = NOW_MS - 10 * HOUR_MS
PAIRS = {pair.shown: pair for pair in OWN_PAIRS}


class Connection:
    """Answers each query with the next value."""

    def __init__(self, *values: Any) -> None:
        self._values = list(values)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None: ...

    def cursor(self) -> "Connection":
        return self

    def execute(self, *_: object) -> None: ...

    def fetchone(self) -> tuple:
        return (self._values.pop(0),)


def target(pair: Pair, partition: list[str], key: list[str], ttl_seconds: int, partitions: list[tuple]) -> Any:
    stored = SimpleNamespace(
        partition=partition,
        key=key,
        columns=[*key, "updated_at"],
        partitions=lambda: partitions,
        prepare=lambda where: where,
        whole=lambda: ["whole"],
    )
    return SimpleNamespace(pair=pair, stored=stored, cassandra=stored, ttl_seconds=ttl_seconds, source=None)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "now_ms", lambda: NOW_MS)


def trades(partitions: list[tuple], ttl_seconds: int = 604_800) -> Any:
    key = ["symbol", "hour", "trade_time", "trade_id"]
    return target(PAIRS["recent_trades"], ["symbol", "hour"], key, ttl_seconds, partitions)


def test_trades_are_read_hour_by_hour_since_the_first_day_that_is_left() -> None:
    partitions = [(b"A", bigint(NOW_MS - hour * HOUR_MS)) for hour in range(30)]
    window = Window(NOW_MS - 24 * HOUR_MS, NOW_MS + 1)
    scope = chunks.scope_of(trades(partitions), Connection("20261126", 10_000), window)  # type: ignore[arg-type]
    assert len(scope.chunks) == 11
    assert scope.chunks[0].values[:2] == (ms_to_datetime(DAY_START_MS), ms_to_datetime(DAY_START_MS + HOUR_MS))
    assert [len(chunk.reads) for chunk in scope.chunks] == [1] * 11
    assert scope.chunks[0].reads[0].values == (
        b"A",
        bigint(DAY_START_MS),
        bigint(DAY_START_MS),
        bigint(DAY_START_MS + HOUR_MS),
    )


def test_no_day_is_left_so_no_trade_is_compared() -> None:
    scope = chunks.scope_of(trades([]), Connection(None, 0), Window(NOW_MS - HOUR_MS, NOW_MS))  # type: ignore[arg-type]
    assert scope.chunks == []


def test_trades_beyond_their_time_to_live_are_not_compared() -> None:
    window = Window(NOW_MS - 10 * DAY_MS, NOW_MS)
    scope = chunks.scope_of(trades([]), Connection("20260101", 0), window)  # type: ignore[arg-type]
    first = scope.chunks[0].values[0]
    assert first == ms_to_datetime(NOW_MS - 7 * DAY_MS + HOUR_MS)


def test_a_candle_that_may_have_expired_is_not_judged_in_either_store() -> None:
    key = ["symbol", "interval", "open_time"]
    candles = target(PAIRS["klines"], ["symbol", "interval"], key, 7_776_000, [(b"A", b"1m")])
    scope = chunks.scope_of(candles, Connection(0), Window(0, NOW_MS))  # type: ignore[arg-type]
    (chunk,) = scope.chunks
    oldest_ms = NOW_MS - 90 * DAY_MS + HOUR_MS
    assert '"updated_at" >= %s' in chunk.where
    assert chunk.values[-1] == ms_to_datetime(oldest_ms)
    assert scope.is_judged((b"A", b"1m", b"", bigint(oldest_ms)))
    assert not scope.is_judged((b"A", b"1m", b"", bigint(oldest_ms - 1)))


def test_a_row_of_market_now_without_columns_of_the_source_is_no_row() -> None:
    price = target(PAIRS["market_now (price)"], ["quote_asset"], ["quote_asset", "symbol"], 0, [])
    scope = chunks.scope_of(price, Connection(0), Window(0, NOW_MS))  # type: ignore[arg-type]
    assert scope.chunks[0].reads == ["whole"]
    assert not scope.is_judged((b"USDT", b"A", None))
    assert scope.is_judged((b"USDT", b"A", b"x"))


@pytest.mark.parametrize(("size_bytes", "buckets"), [(0, 256), (10_000_000, 32_768), (10**12, 2**18)])
def test_a_larger_table_has_more_buckets_up_to_a_limit(size_bytes: int, buckets: int) -> None:
    assert chunks.buckets_of(trades([]), Connection(size_bytes), 1) == buckets  # type: ignore[arg-type]


def test_every_captured_table_is_compared_and_no_other() -> None:
    stored = {"klines", "latest_prices", "market_now", "orders", "only_here"}
    found = pairs_of({"klines", "latest_prices", "orders", "debezium_heartbeat"}, stored)
    assert [pair.shown for pair in found] == ["latest_prices", "klines", "market_now (price)", "orders"]
    assert found[-1].way is Way.EQUAL


def test_a_table_with_a_transformation_of_the_users_is_searched_for_what_it_becomes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(TRANSFORMATIONS, "orders", mirror)
    (pair,) = pairs_of({"orders"}, {"orders"})
    assert pair.way is Way.CONTAINED
