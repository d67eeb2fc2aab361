import json

import pytest

from bench.quick import KEPT, MEASURES, Measure, is_worse

RATE, COST = Measure("rate", +1, 0.25), Measure("cost", -1, 0.25)


@pytest.mark.parametrize(("now", "worse"), [(10, False), (8.1, False), (7.9, True), (30, False)])
def test_rate_counts_as_slower_when_it_is_smaller_by_more_than_noise(now, worse):
    assert is_worse(RATE, now, kept=10) is worse


@pytest.mark.parametrize(("now", "worse"), [(10, False), (12.4, False), (12.6, True), (3, False)])
def test_cost_counts_as_slower_when_it_is_larger_by_more_than_noise(now, worse):
    assert is_worse(COST, now, kept=10) is worse


def test_every_measure_has_a_kept_value():
    assert json.loads(KEPT.read_text()).keys() == MEASURES.keys()
