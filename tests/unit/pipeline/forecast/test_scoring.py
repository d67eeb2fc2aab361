"""The loss, the range that learns, and means of recent scores."""

import random
import statistics

import pytest

from pipeline.forecast.scoring import MIN_RECENT, RECENT, WANTED_COVERAGE, RangeWidth, RecentScores, qlike


def test_qlike_of_a_perfect_forecast_is_zero_and_of_any_other_more() -> None:
    assert qlike(2e-6, 2e-6) == 0
    assert qlike(2e-6, 1e-6) > qlike(1e-6, 2e-6) > 0


@pytest.mark.parametrize("draw", ["normal", "heavy tails", "narrow"])
def test_range_covers_the_wanted_share_whatever_the_distribution(draw: str) -> None:
    dice, width, hits = random.Random(3), RangeWidth(), []
    for _ in range(30_000):
        value = dice.gauss(0, 1)
        if draw == "heavy tails":
            value *= dice.expovariate(1)
        elif draw == "narrow":
            value *= 0.5
        hits.append(abs(value) <= width.deviations)
        width.learn(hits[-1])
    assert statistics.fmean(hits) == pytest.approx(WANTED_COVERAGE, abs=0.01)


def test_range_starts_as_that_of_the_normal_distribution_and_stays_finite() -> None:
    width = RangeWidth()
    assert width.deviations == pytest.approx(statistics.NormalDist().inv_cdf(0.95), abs=0.001)
    for _ in range(100_000):
        width.learn(hit=False)
    assert width.deviations == RangeWidth.MAX


def test_means_are_those_of_the_last_day() -> None:
    dice, scores = random.Random(5), RecentScores()
    rows = [(dice.random(), dice.random(), dice.random(), dice.random() < 0.9) for _ in range(2 * RECENT + 100)]
    for row in rows:
        scores.add(*row)
    model, issued, naive, hit = (statistics.fmean(column) for column in zip(*rows[-RECENT:]))
    assert scores.ratio(RecentScores.MODEL) == pytest.approx(model / naive)
    assert scores.ratio(RecentScores.ISSUED) == pytest.approx(issued / naive)
    assert scores.coverage() == pytest.approx(hit)


def test_few_scores_have_no_mean() -> None:
    scores = RecentScores()
    for _ in range(MIN_RECENT - 1):
        scores.add(1, 1, 2, True)
    assert (scores.ratio(RecentScores.MODEL), scores.coverage()) == (None, None)
    scores.add(1, 1, 2, True)
    assert (scores.ratio(RecentScores.MODEL), scores.coverage(), scores.is_full) == (0.5, 1.0, False)
