"""What the loop writes: nothing twice, nothing that is too late; new symbols join."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.forecast.database import Tables, forecast_row, horizon_name, score_row
from pipeline.forecast.forecaster import Forecast, Score
from pipeline.forecast.loop import MAX_LATE_MS, Loop
from pipeline.forecast.minutes import Candle
from pipeline.intervals import MINUTE_MS
from pipeline.stopping import Stop
from pipeline.tables import FORECASTS
from tests.support.random_candles import random_candles

START_MS = 1_780_272_000_000
PAGE = 700


class FakeTables:
    """Candles by symbol, and everything that was written."""

    def __init__(self) -> None:
        self.stored: dict[str, list[Candle]] = {}
        self.newest: dict[tuple[str, int], int] = {}
        self.forecasts: list[Forecast] = []
        self.scores: list[Score] = []

    def candles(self, after_ms: dict[str, int]) -> dict[str, list[Candle]]:
        return {
            symbol: [c for c in self.stored[symbol] if c.open_time_ms > after][:PAGE]
            for symbol, after in after_ms.items()
        }

    def newest_candles(self, symbols: list[str]) -> dict[str, int]:
        return {s: self.stored[s][-1].open_time_ms for s in symbols if self.stored.get(s)}

    def newest_forecasts(self, symbols: list[str], horizons: tuple[int, ...]) -> dict[tuple[str, int], int]:
        return {key: ms for key, ms in self.newest.items() if key[0] in symbols}

    def write(self, forecasts: list[Forecast], scores: list[Score]) -> None:
        self.forecasts += forecasts
        self.scores += scores


class FakeDatabase:
    def __init__(self) -> None:
        self.tables = FakeTables()

    def run(self, action: Callable[[Any], Any], stop: Stop) -> Any:
        return action(self.tables)


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


def loop_at(database: FakeDatabase, wall_clock_ms: int, symbols: tuple[str, ...] = ("AUSDT",)) -> Loop:
    return Loop(database, symbols, (15,), "ewma", lambda: 0.0, lambda: wall_clock_ms)  # type: ignore[arg-type]


def run_until_idle(loop: Loop) -> None:
    while loop.step(Stop()):
        pass


def test_first_start_makes_the_forecasts_of_the_last_day_only(database: FakeDatabase) -> None:
    candles = database.tables.stored["AUSDT"] = list(random_candles(START_MS, 4000))
    end_ms = candles[-1].open_time_ms + MINUTE_MS
    run_until_idle(loop_at(database, end_ms))
    made_at = [made.made_at_ms for made in database.tables.forecasts]
    assert made_at == list(range(end_ms - MAX_LATE_MS + MINUTE_MS, end_ms + 1, MINUTE_MS))
    closed = {score.made_at_ms + 15 * MINUTE_MS for score in database.tables.scores}
    assert closed == set(range(end_ms - MAX_LATE_MS + MINUTE_MS, end_ms + 1, MINUTE_MS))


def test_restart_writes_what_is_missing_and_nothing_twice(database: FakeDatabase) -> None:
    candles = database.tables.stored["AUSDT"] = list(random_candles(START_MS, 3000))
    end_ms = candles[-1].open_time_ms + MINUTE_MS
    database.tables.newest = {("AUSDT", 15): end_ms - 10 * MINUTE_MS}
    run_until_idle(loop_at(database, end_ms))
    assert len(database.tables.forecasts) == 10
    # The windows of forecasts that an earlier run made are scored.
    assert len(database.tables.scores) == 10
    assert min(score.made_at_ms for score in database.tables.scores) == end_ms - 24 * MINUTE_MS


def test_symbol_without_candles_joins_when_it_has_some(database: FakeDatabase) -> None:
    database.tables.stored = {"AUSDT": list(random_candles(START_MS, 100)), "LATEUSDT": []}
    loop = loop_at(database, START_MS, ("AUSDT", "LATEUSDT"))
    run_until_idle(loop)
    assert {made.symbol for made in database.tables.forecasts} == {"AUSDT"}
    database.tables.stored["LATEUSDT"] = list(random_candles(START_MS, 100))
    run_until_idle(loop)
    assert {made.symbol for made in database.tables.forecasts} == {"AUSDT", "LATEUSDT"}


def test_no_forecast_is_made_without_a_new_candle(database: FakeDatabase) -> None:
    database.tables.stored["AUSDT"] = list(random_candles(START_MS, 100))
    loop = loop_at(database, START_MS)
    run_until_idle(loop)
    written = len(database.tables.forecasts)
    assert written > 0
    assert loop.step(Stop()) is False
    assert len(database.tables.forecasts) == written


def test_stop_ends_the_loop_at_once(database: FakeDatabase) -> None:
    database.tables.stored["AUSDT"] = list(random_candles(START_MS, 100))
    stop = Stop()
    stop.set()
    loop_at(database, START_MS).run(stop)
    assert database.tables.forecasts == []


def test_row_has_the_columns_of_the_statement_in_order() -> None:
    made = Forecast("AUSDT", 60, START_MS, START_MS + 60 * MINUTE_MS, "ewma", 1.5, 4e-6, None, 1.4, 1.6, 0.7, None)
    row = dict(zip(FORECASTS.columns, forecast_row(made)))
    assert (row["symbol"], row["horizon"], row["model"]) == ("AUSDT", "1h", "ewma")
    assert (row["volatility"], row["naive_volatility"]) == (pytest.approx(0.002), None)
    assert (row["lower_price"], row["upper_price"]) == (1.4, 1.6)
    assert (row["recent_qlike_ratio"], row["recent_coverage"]) == (0.7, None)
    assert score_row(Score("AUSDT", 15, START_MS, 9e-6, 1.5, 0.1, 0.2, True))[3:] == (pytest.approx(0.003), 1.5)


@pytest.mark.parametrize(("minutes", "name"), [(15, "15m"), (60, "1h"), (90, "90m"), (1440, "1d")])
def test_horizon_has_the_name_of_an_interval(minutes: int, name: str) -> None:
    assert horizon_name(minutes) == name


def test_fake_has_the_methods_of_the_real_tables() -> None:
    assert {"candles", "newest_candles", "newest_forecasts", "write"} <= set(dir(Tables)) & set(dir(FakeTables))
