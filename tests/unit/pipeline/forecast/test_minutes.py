"""Sums over windows of minutes, compared with sums that are written out."""

import math
from itertools import pairwise

import pytest

from pipeline.forecast.minutes import KEPT_MINUTES, PARKINSON, Candle, Minutes
from pipeline.intervals import MINUTE_MS
from tests.support.random_candles import random_candles

START_MS = 1_780_272_000_000
FIRST = START_MS // MINUTE_MS


def filled(candles: list[Candle]) -> Minutes:
    minutes = Minutes()
    for candle in candles:
        assert minutes.add(candle)
    return minutes


def market(count: int) -> list[Candle]:
    return list(random_candles(START_MS, count))


def squares(candles: list[Candle]) -> list[float]:
    return [math.log(after.close / before.close) ** 2 for before, after in pairwise(candles)]


@pytest.mark.parametrize(("end", "length"), [(99, 15), (60, 60), (99, 98), (50, 1)])
def test_window_is_the_sum_of_its_squared_returns(end: int, length: int) -> None:
    candles = market(100)
    expected = math.fsum(squares(candles)[end - length : end])
    minutes = filled(candles)
    assert minutes.realized_variance(FIRST + end, length) == pytest.approx(expected, rel=1e-9)
    assert minutes.mean_square(FIRST + end, length) == pytest.approx(expected / length, rel=1e-9)


def test_mean_range_is_that_of_highs_and_lows() -> None:
    candles = market(100)
    expected = math.fsum(math.log(c.high / c.low) ** 2 for c in candles[-60:]) / PARKINSON / 60
    assert filled(candles).mean_range(FIRST + 99, 60) == pytest.approx(expected, rel=1e-9)


def test_window_before_the_first_return_is_unknown() -> None:
    minutes = filled(market(20))
    assert minutes.realized_variance(FIRST + 19, 19) is not None
    assert minutes.realized_variance(FIRST + 19, 20) is None
    assert minutes.mean_square(FIRST + 19, 60) is None


def test_window_with_a_missing_minute_is_not_realized_and_still_has_a_mean() -> None:
    candles = market(100)
    del candles[50]
    minutes = filled(candles)
    for end in (50, 51, 65):  # the return of the minute after the gap is unknown as well
        assert minutes.realized_variance(FIRST + end, 15) is None
    assert minutes.realized_variance(FIRST + 66, 15) is not None
    assert minutes.mean_square(FIRST + 60, 15) is not None


def test_mean_of_too_few_minutes_is_unknown() -> None:
    candles = market(100)
    del candles[50:55]
    assert filled(candles).mean_square(FIRST + 60, 15) is None


def test_window_without_any_trade_is_not_realized() -> None:
    candles = market(40)
    candles[20:] = [c._replace(close=candles[19].close, trades=0) for c in candles[20:]]
    minutes = filled(candles)
    assert minutes.realized_variance(FIRST + 39, 15) is None
    assert minutes.realized_variance(FIRST + 33, 15) is not None


def test_minute_that_is_not_newer_is_ignored() -> None:
    candles = market(30)
    minutes = filled(candles)
    before = minutes.realized_variance(FIRST + 29, 15)
    assert not minutes.add(candles[-1]._replace(close=1.0))
    assert not minutes.add(candles[3])
    assert minutes.realized_variance(FIRST + 29, 15) == before


def test_old_minutes_are_forgotten_and_windows_stay_right() -> None:
    candles = market(3 * KEPT_MINUTES)
    minutes = filled(candles)
    last = len(candles) - 1
    expected = math.fsum(squares(candles)[last - 1440 : last])
    assert minutes.realized_variance(FIRST + last, 1440) == pytest.approx(expected, rel=1e-9)
    assert math.isnan(minutes.close(FIRST))
    assert minutes.close(FIRST + last) == candles[-1].close


def test_after_a_gap_longer_than_what_is_kept_everything_begins_again() -> None:
    minutes = filled(market(100))
    later = list(random_candles(START_MS + 5 * KEPT_MINUTES * MINUTE_MS, 20))
    for candle in later:
        minutes.add(candle)
    end = later[-1].open_time_ms // MINUTE_MS
    assert minutes.realized_variance(end, 19) == pytest.approx(math.fsum(squares(later)), rel=1e-9)
    assert minutes.realized_variance(end, 20) is None
