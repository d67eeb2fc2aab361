"""Forecasts minute by minute: nothing looks ahead, gaps are left out, a bad model is replaced."""

import logging
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pipeline.forecast.forecaster import Forecast, Score, SymbolForecaster
from pipeline.forecast.minutes import Candle
from pipeline.forecast.scoring import RECENT, RecentScores
from pipeline.intervals import MINUTE_MS
from tests.support.random_candles import random_candles

START_MS = 1_780_272_000_000  # a midnight
DAY = 1440
HORIZONS = (15, 60)
MARKET = list(random_candles(START_MS, 4 * DAY))


class Constant:
    """A regressor of a user: the mean, whatever the features."""

    def fit(self, X: Any, y: Any) -> "Constant":
        self.mean = y.mean()
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.mean)


class NotANumber(Constant):
    def predict(self, X: Any) -> Any:
        return super().predict(X) * math.nan


class Wrong(Constant):
    """Forecasts a hundredth of the variance."""

    def predict(self, X: Any) -> Any:
        return super().predict(X) - math.log(100)


def run(candles: list[Candle], model: str = "log_har") -> tuple[list[Forecast], list[Score]]:
    forecaster = SymbolForecaster("AUSDT", HORIZONS, model)
    forecasts: list[Forecast] = []
    scores: list[Score] = []
    for candle in candles:
        made, scored = forecaster.add(candle)
        forecasts += made
        scores += scored
    return forecasts, scores


@pytest.fixture(scope="module")
def whole() -> tuple[list[Forecast], list[Score]]:
    return run(MARKET)


@pytest.mark.parametrize("change", ["shifted", "other", "missing"])
def test_forecasts_of_the_past_do_not_depend_on_the_future(change: str, whole: tuple) -> None:
    """Bit for bit, including model, range and recent scores."""
    cut = 3 * DAY + 217
    future = MARKET[cut:]
    if change == "shifted":
        future = [c._replace(high=c.high * 3, low=c.low * 3, close=c.close * 3) for c in future]
    elif change == "other":
        future = list(random_candles(MARKET[cut].open_time_ms, len(future), seed=99))
    else:
        future = []
    forecasts, scores = run(MARKET[:cut] + future)
    made_before = MARKET[cut].open_time_ms
    past = [made for made in whole[0] if made.made_at_ms <= made_before]
    assert len(past) == 2 * (cut - 15)
    assert {made.model for made in past} == {"ewma", "log_har"}
    assert [made for made in forecasts if made.made_at_ms <= made_before] == past
    closed = [score for score in whole[1] if score.made_at_ms + score.horizon * MINUTE_MS <= made_before]
    assert [score for score in scores if score.made_at_ms + score.horizon * MINUTE_MS <= made_before] == closed


def test_every_minute_is_forecast_once_per_horizon(whole: tuple) -> None:
    forecasts, _ = whole
    for horizon in HORIZONS:
        made_at = [made.made_at_ms for made in forecasts if made.horizon == horizon]
        assert made_at == [START_MS + n * MINUTE_MS for n in range(16, len(MARKET) + 1)]
    assert all(made.closes_at_ms - made.made_at_ms == made.horizon * MINUTE_MS for made in forecasts)
    assert all(made.lower_price < made.price < made.upper_price for made in forecasts)


def test_score_is_that_of_the_window_after_the_forecast(whole: tuple) -> None:
    forecasts, scores = whole
    score = next(one for one in scores if one.horizon == 15 and one.made_at_ms > START_MS + 2 * DAY * MINUTE_MS)
    made = next(one for one in forecasts if (one.horizon, one.made_at_ms) == (15, score.made_at_ms))
    closes = [c.close for c in MARKET if -MINUTE_MS <= c.open_time_ms - score.made_at_ms < 15 * MINUTE_MS]
    realized = math.fsum(math.log(after / before) ** 2 for before, after in pairwise(closes))
    assert len(closes) == 16
    assert score.close_price == closes[-1]
    assert score.realized_variance == pytest.approx(realized)
    ratio = realized / made.variance
    assert score.qlike == pytest.approx(ratio - math.log(ratio) - 1)
    assert score.hit == (made.lower_price <= closes[-1] <= made.upper_price)


def test_naive_is_the_window_before(whole: tuple) -> None:
    made = whole[0][-1]
    closes = [c.close for c in MARKET[-61:]]
    realized = math.fsum(math.log(after / before) ** 2 for before, after in pairwise(closes))
    assert made.naive_variance == pytest.approx(realized)


def test_first_model_is_fitted_after_half_a_day_of_rows(whole: tuple) -> None:
    first = next(made for made in whole[0] if made.model == "log_har")
    assert 1.4 * DAY < (first.made_at_ms - START_MS) / MINUTE_MS < 1.7 * DAY


def test_windows_that_touch_a_gap_are_not_scored() -> None:
    candles = MARKET[: 2 * DAY]
    del candles[DAY : DAY + 30]
    forecasts, scores = run(candles)
    gap_start, gap_end = START_MS + DAY * MINUTE_MS, START_MS + (DAY + 31) * MINUTE_MS
    for score in scores:
        reach_ms = score.horizon * MINUTE_MS
        assert score.made_at_ms + reach_ms <= gap_start or score.made_at_ms - reach_ms >= gap_end
    after = [made for made in forecasts if made.made_at_ms > gap_end]
    assert after, "forecasts continue after a gap"
    assert any(made.naive_variance is None for made in after)


def test_windows_without_any_trade_are_not_scored() -> None:
    candles = MARKET[: 2 * DAY]
    price = candles[DAY].close
    for place in range(DAY, DAY + 120):
        candles[place] = Candle(candles[place].open_time_ms, price, price, price, 0)
    _, scores = run(candles)
    made_at = {(score.horizon, score.made_at_ms) for score in scores}
    inside = START_MS + (DAY + 60) * MINUTE_MS
    assert not {(horizon, inside) for horizon in HORIZONS} & made_at
    assert all(math.isfinite(score.naive_qlike) and score.naive_qlike < 1e4 for score in scores)


def test_market_that_stands_still_gives_finite_forecasts() -> None:
    still = [Candle(START_MS + n * MINUTE_MS, 1.0, 1.0, 1.0, 5) for n in range(2 * DAY)]
    forecasts, scores = run(still)
    assert all(made.variance > 0 and made.lower_price < 1 < made.upper_price for made in forecasts)
    assert {score.qlike for score in scores} == {0.0}


def test_own_regressor_drops_in() -> None:
    forecasts, _ = run(MARKET[: 2 * DAY], f"{__name__}:Constant")
    assert {made.model for made in forecasts} == {"ewma", f"{__name__}:Constant"}


def test_prediction_that_is_not_a_number_is_replaced_by_the_ewma() -> None:
    forecasts, _ = run(MARKET[: 2 * DAY], f"{__name__}:NotANumber")
    assert {made.model for made in forecasts} == {"ewma"}


def test_model_that_is_worse_than_naive_is_replaced_by_the_ewma(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pipeline.forecast")
    name = f"{__name__}:Wrong"
    forecasts, _ = run(MARKET, name)
    used = [made.model for made in forecasts if made.horizon == 15]
    assert name in used
    assert used[-1] == "ewma"
    record = next(record for record in caplog.records if record.message == "forecast_fallback")
    assert (record.symbol, record.horizon_minutes) == ("AUSDT", 15)
    assert record.qlike_ratio > 1


def test_model_is_used_again_once_it_is_better(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pipeline.forecast")
    forecaster = SymbolForecaster("AUSDT", (15,), "log_har")
    for candle in MARKET[: 2 * DAY]:
        forecaster.add(candle)
    horizon = forecaster.horizons[0]
    horizon.falls_back = True
    caplog.clear()
    models = []
    for place, ratio in enumerate((0.97, 0.9)):
        for _ in range(RECENT):
            horizon.scores.add(ratio, ratio, 1.0, True)
        models.append(forecaster.add(MARKET[2 * DAY + place])[0][0].model)
    assert models == ["ewma", "log_har"]
    assert [record.message for record in caplog.records] == ["forecast_fallback_over"]


def test_model_does_not_forecast_calm_in_the_middle_of_a_shock() -> None:
    forecaster = SymbolForecaster("AUSDT", HORIZONS, f"{__name__}:Wrong")
    for candle in MARKET[: 2 * DAY]:
        forecaster.add(candle)
    for horizon in forecaster.horizons:  # or the EWMA would replace this model
        horizon.scores, horizon.falls_back = RecentScores(), False
    last, made = MARKET[2 * DAY - 1], []
    for number in range(1, 6):
        close = last.close * 1.05 ** (number % 2)
        made, _ = forecaster.add(Candle(last.open_time_ms + number * MINUTE_MS, close, close, close, 9))
    for forecast in made:
        assert forecast.model.endswith(":Wrong")
        assert forecast.variance / forecast.horizon > 0.25 * math.log(1.05) ** 2


def test_sparse_history_leads_to_the_same_fits() -> None:
    models = []
    for sparse in (False, True):
        forecaster = SymbolForecaster("AUSDT", HORIZONS, "log_har")
        for candle in MARKET[: 3 * DAY]:
            forecaster.add(candle, sparse)
        models.append([made.variance for made in forecaster.add(MARKET[3 * DAY])[0]])
    assert models[0] == models[1]
