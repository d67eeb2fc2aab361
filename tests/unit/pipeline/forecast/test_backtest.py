"""The evaluation: the same figures as the forecasts that the program would have made."""

import statistics

import pytest

from pipeline.forecast.archive import candles_by_symbol
from pipeline.forecast.backtest import Result, evaluate, markdown
from pipeline.forecast.forecaster import SymbolForecaster
from pipeline.times import DAY_MS
from tests.support.program import ROOT
from tests.support.random_candles import random_candles

START_MS = 1_780_272_000_000
CANDLES = list(random_candles(START_MS, 3 * 1440))


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return evaluate({"AUSDT": CANDLES, "EMPTYUSDT": []}, (15, 60), ("naive", "log_har"))


def test_rows_are_ordered_by_symbol_horizon_and_model(results: list[Result]) -> None:
    assert [(one.horizon, one.model) for one in results] == [
        (15, "naive"),
        (15, "log_har"),
        (60, "naive"),
        (60, "log_har"),
    ]
    assert {one.symbol for one in results} == {"AUSDT"}


def test_figures_are_those_of_the_live_code_after_the_warm_up(results: list[Result]) -> None:
    forecaster = SymbolForecaster("AUSDT", (15, 60), "log_har")
    scores = [score for candle in CANDLES for score in forecaster.add(candle)[1]]
    late = [one for one in scores if one.horizon == 60 and one.made_at_ms >= CANDLES[0].open_time_ms + DAY_MS]
    result = results[3]
    assert result.windows == len(late)
    assert result.qlike == pytest.approx(statistics.fmean(one.qlike for one in late))
    assert result.naive_qlike == pytest.approx(statistics.fmean(one.naive_qlike for one in late))
    assert result.coverage == pytest.approx(statistics.fmean(one.hit for one in late))


def test_naive_is_as_good_as_itself(results: list[Result]) -> None:
    assert results[0].ratio == results[2].ratio == 1


def test_log_har_beats_naive_on_a_recorded_month_and_its_range_covers_the_wanted_share() -> None:
    candles = candles_by_symbol([ROOT / "examples" / "forecast" / "AVAXUSDT-1m-2026-06.csv.gz"])
    short, long = evaluate(candles, (15, 60), ("log_har",))
    assert short.ratio <= 0.75
    assert long.ratio <= 0.88
    assert 0.88 <= short.coverage <= 0.92
    assert 0.88 <= long.coverage <= 0.92


def test_table_has_a_line_per_result() -> None:
    result = Result("AUSDT", 60, "log_har", 0.2, 0.4, 0.9012, 1234, 55.4)
    assert markdown([result]).splitlines()[2] == "| AUSDT | 1h | `log_har` | 0.200 | 0.500 | 90.1% | 1234 | 55 |"
