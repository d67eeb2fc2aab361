"""What a model sees."""

import math
import statistics

import pytest

from pipeline.forecast.features import MIN_RETURNS, MIN_VARIANCE_PER_MINUTE, Ewma, feature_names, features
from pipeline.forecast.minutes import Minutes
from tests.support.random_candles import random_candles

START_MS = 1_780_272_000_000


def minutes_of(count: int) -> Minutes:
    minutes = Minutes()
    for candle in random_candles(START_MS, count):
        minutes.add(candle)
    return minutes


@pytest.mark.parametrize("horizon", [5, 15, 60, 240])
def test_row_has_a_value_per_name(horizon: int) -> None:
    row = features(minutes_of(3000), horizon, 1e-7)
    assert row is not None
    assert len(row) == len(feature_names(horizon)) == len(set(feature_names(horizon)))


def test_features_are_relative_to_the_ewma() -> None:
    minutes = minutes_of(3000)
    row, scaled = features(minutes, 15, 1e-7), features(minutes, 15, 2e-7)
    assert row
    assert scaled
    windows = sum("per_day" not in name for name in feature_names(15))
    assert [a - b for a, b in zip(row, scaled)][:windows] == pytest.approx([math.log(2)] * windows)
    assert row[windows:] == scaled[windows:]
    assert row[0] == pytest.approx(math.log(minutes.mean_square(minutes.last, 15) / 1e-7))


def test_same_time_yesterday_is_the_window_that_followed_a_day_ago() -> None:
    minutes = minutes_of(3000)
    row = features(minutes, 60, 1.0)
    yesterday = minutes.mean_square(minutes.last - 1440 + 60, 60)
    assert row
    assert row[feature_names(60).index("same_time_yesterday")] == pytest.approx(math.log(yesterday))


def test_no_features_before_a_day_is_covered() -> None:
    assert features(minutes_of(1400), 15, 1e-7) is None
    assert features(minutes_of(1460), 15, 1e-7) is not None


def test_ewma_begins_as_the_plain_mean() -> None:
    ewma, squares = Ewma(60), [n * 1e-7 for n in range(1, 1 + MIN_RETURNS)]
    for square in squares:
        assert ewma.per_minute() is None
        ewma.add(square)
    assert ewma.per_minute() == pytest.approx(statistics.fmean(squares))


def test_ewma_of_a_market_that_stands_still_is_the_floor() -> None:
    ewma = Ewma(15)
    for _ in range(1000):
        ewma.add(0.0)
    assert ewma.per_minute() == MIN_VARIANCE_PER_MINUTE


def test_ewma_forgets() -> None:
    ewma = Ewma(15)
    for square in [1e-4] * 100 + [1e-6] * 300:
        ewma.add(square)
    assert ewma.per_minute() == pytest.approx(1e-6, rel=0.01)
