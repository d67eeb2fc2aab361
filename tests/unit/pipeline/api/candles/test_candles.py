"""Pages and downsampled ranges of candles, with and without caches, compared with what the rows say
when all of them are read."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from pipeline.api.candles.aggregated import MAX_GAPS, AggregatedCandles, Series, gaps
from pipeline.api.candles.aggregation import aggregate_candles, parts_per_candle
from pipeline.api.candles.pages import Candles
from pipeline.api.candles.stored import StoredCandles
from pipeline.api.downsampling.bucket_cache import SETTLED_MS
from pipeline.api.history import History, between
from pipeline.api.query import Query
from pipeline.api.store import Row

MINUTE, DAY = 60_000, 86_400_000
T0 = 20_000 * DAY
MINUTES = 600


def candle(number: int, symbol: str = "AUSDT", **more: Any) -> Row:
    price = 100.0 + number % 17
    return {
        "symbol": symbol,
        "interval": "1m",
        "open_time": T0 + number * MINUTE,
        "close_time": T0 + (number + 1) * MINUTE - 1,
        "open_price": price,
        "high_price": price + 1,
        "low_price": price - 1,
        "close_price": price + 0.5,
        "volume": 0.1 * (number % 7),
        "quote_volume": 10.0 + number,
        "taker_buy_volume": 0.1,
        "taker_buy_quote_volume": 1.1,
        "number_of_trades": number,
        "is_closed": True,
        "updated_at": T0 + (number + 1) * MINUTE,
    } | more


class Store:
    """Rows of klines in memory, read with the statements of History. `read_rows`: how many."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)
        self.reads: list[Sequence[Any]] = []
        self.read_rows = 0

    def columns_of(self, table: str) -> str:
        return "*"

    def select_many(self, columns: str, table: str, where: str, many: Iterable[Sequence[Any]]) -> list[list[Row]]:
        return [list(self._select("DESC" in where, values)) for values in many]

    def _select(self, backward: bool, values: Sequence[Any]) -> Iterator[Row]:
        self.reads.append(values)
        symbol, interval, above, below, count = values
        found = [
            row
            for row in self.rows
            if (row["symbol"], row["interval"]) == (symbol, interval) and above < row["open_time"] < below
        ]
        found = sorted(found, key=lambda row: row["open_time"], reverse=backward)[:count]
        self.read_rows += len(found)
        yield from found


class State:
    def __init__(self, store: Store) -> None:
        self._store = store

    def stored_intervals(self) -> dict[str, set[str]]:
        symbols = {row["symbol"] for row in self._store.rows}
        return {symbol: {r["interval"] for r in self._store.rows if r["symbol"] == symbol} for symbol in symbols}


@pytest.fixture(autouse=True)
def no_short_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.api.candles.stored.ROWS_FRESH_SECONDS", 0.0)


def candles_of(store: Store) -> Candles:
    return Candles(History(store), State(store))


def with_holes(seed: int) -> list[Row]:
    """Two symbols; some minutes are missing, some are open, and one symbol lacks two hours."""
    chance = random.Random(seed)
    rows = [candle(n, is_closed=chance.random() > 0.01) for n in range(MINUTES) if chance.random() > 0.02]
    return rows + [candle(n, "BUSDT") for n in range(7, MINUTES - 3) if not 200 <= n < 320]


def expected(rows: Iterable[Row], query: Query) -> list[Row]:
    """The page, from all rows at once."""
    found: list[Row] = []
    for symbol in query.symbols:
        own = (row for row in rows if row["symbol"] == symbol)
        if query.interval != "1m":
            own = aggregate_candles(own, query.interval, parts_per_candle(query.interval, "1m"))
        found += [
            row
            for row in own
            if (query.from_ms or 0) <= row["open_time"] and (query.to_ms is None or row["open_time"] < query.to_ms)
        ]
    found.sort(key=lambda row: (row["open_time"], row["symbol"]))
    return found[: query.limit] if query.forward else found[-query.limit :]


@pytest.mark.parametrize("seed", range(6))
def test_page_has_the_same_candles_whatever_is_cached(seed: int) -> None:
    chance = random.Random(seed)
    store = Store(with_holes(seed))
    candles = candles_of(store)
    for _ in range(150):
        start, end = sorted(T0 + chance.randrange(-100, MINUTES + 100) * MINUTE + chance.randrange(-1, 2) for _ in "ab")
        query = Query(
            symbols=chance.choice([("AUSDT",), ("BUSDT",), ("AUSDT", "BUSDT")]),
            from_ms=chance.choice([None, start]),
            to_ms=chance.choice([None, end]),
            limit=chance.choice([1, 2, 3, 10, 100, 5000]),
            interval=chance.choice(["1m", "2m", "5m", "15m", "1h"]),
        )
        assert candles.page(query).rows == expected(store.rows, query), query


@pytest.mark.parametrize("seed", range(3))
def test_downsampled_range_has_the_same_candles_whatever_is_cached(seed: int) -> None:
    chance = random.Random(seed)
    store = Store(with_holes(seed))
    candles = candles_of(store)
    for _ in range(100):
        start, end = sorted(T0 + chance.randrange(-50, MINUTES + 50) * MINUTE + chance.randrange(-1, 2) for _ in "ab")
        query = Query(symbols=("AUSDT", "BUSDT"), from_ms=start, to_ms=end, points=chance.choice([3, 10, 50, 300]))
        fresh = candles_of(Store(store.rows)).downsample(query, T0 + 2 * DAY)
        assert candles.downsample(query, T0 + 2 * DAY) == fresh


def test_refresh_reads_the_parts_of_the_newest_candle_only() -> None:
    store = Store(candle(n, is_closed=n < MINUTES - 1) for n in range(MINUTES - 5))
    candles = candles_of(store)
    range_of_day = Query(symbols=("AUSDT",), interval="15m", from_ms=T0, to_ms=T0 + DAY, limit=5000)
    first = candles.page(range_of_day).rows
    store.read_rows = 0
    assert candles.page(range_of_day).rows == first
    assert store.read_rows == 10, "the last quarter of an hour has ten minutes"


def test_open_candle_is_read_again_and_grows() -> None:
    store = Store(candle(n) for n in range(20))
    candles = candles_of(store)
    newest = Query(symbols=("AUSDT",), interval="15m", limit=1)
    assert candles.page(newest).rows[0]["number_of_trades"] == sum(range(15, 20))
    store.rows.append(candle(20))
    assert candles.page(newest).rows[0]["number_of_trades"] == sum(range(15, 21))


def test_candle_that_has_just_closed_may_still_be_corrected() -> None:
    store = Store(candle(n) for n in range(15))
    now = [T0 + 15 * MINUTE]
    aggregated = AggregatedCandles(StoredCandles(History(store)), lambda: now[0])
    series, day = Series("AUSDT", "1m", "15m"), between(T0, T0 + DAY, True)
    assert next(aggregated.read(series, day, 100))["high_price"] < 200
    store.rows[3]["high_price"] = 200.0
    assert next(aggregated.read(series, day, 100))["high_price"] == 200
    now[0] += SETTLED_MS
    list(aggregated.read(series, day, 100))
    store.read_rows = 0
    assert next(aggregated.read(series, day, 100))["high_price"] == 200
    assert store.read_rows == 0


def test_part_that_arrives_late_is_in_the_next_answer() -> None:
    store = Store(candle(n) for n in range(60) if n != 17)
    candles = candles_of(store)
    quarters = Query(symbols=("AUSDT",), interval="15m", from_ms=T0, to_ms=T0 + DAY)
    assert [row["is_closed"] for row in candles.page(quarters).rows] == [True, False, True, True]
    store.rows.append(candle(17))
    store.rows.sort(key=lambda row: row["open_time"])
    assert candles.page(quarters).rows == expected(store.rows, quarters)


def test_viewers_whose_ranges_end_in_one_minute_share_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.api.candles.stored.ROWS_FRESH_SECONDS", 60.0)
    store = Store(candle(n) for n in range(MINUTES))
    candles = candles_of(store)
    for shift in range(50):
        ends = {"from_ms": T0 + 100 * MINUTE + 1 + shift, "to_ms": T0 + 200 * MINUTE + 1 + shift}
        query = Query(symbols=("AUSDT",), limit=5000, **ends)
        assert candles.page(query).rows == expected(store.rows, query)
    assert len(store.reads) == 1


def test_candles_that_do_not_open_at_a_whole_minute_are_neither_lost_nor_added() -> None:
    store = Store(
        [*(candle(n) for n in range(10)), *(candle(n, open_time=T0 + n * MINUTE + 100 * n) for n in range(1, 9))]
    )
    read = StoredCandles(History(store)).read
    for start in range(0, 5 * MINUTE, 97):
        for count in (1, 2, 3, 100):
            for forward in (True, False):
                span = between(T0 + start, T0 + start + 3 * MINUTE, forward)
                times = sorted(
                    (r["open_time"] for r in store.rows if T0 + start <= r["open_time"] < T0 + start + 3 * MINUTE),
                    reverse=not forward,
                )
                assert [row["open_time"] for row in read("AUSDT", "1m", span, count)] == times


def test_gaps_are_ranges_and_many_become_one() -> None:
    assert gaps([], 5) == []
    assert gaps([0, 5, 10, 20], 5) == [(0, 15), (20, 25)]
    assert gaps(range(0, 20 * MAX_GAPS, 20), 5) == [(20 * n, 20 * n + 5) for n in range(MAX_GAPS)]
    assert gaps(range(0, 20 * MAX_GAPS + 20, 20), 5) == [(0, 20 * MAX_GAPS + 5)]
