import pytest

from pipeline.producer.plan import (
    LEAST_URGENT_FIRST,
    MAX_SLOWDOWN,
    MAX_SPEEDUP,
    PLANNED_SHARE,
    SPEEDUP_SHARE,
    Pace,
    lines,
    plan,
)

BUDGET = 3000.0


def pace(kind, count, weight, seconds):
    return Pace(kind, count, weight, seconds, seconds)


def wished(symbols=6):
    """The default settings: kind, count, weight, seconds."""
    return [
        pace("price", 1, 4, 2),
        pace("tracked_price", 1, 4, 1),
        pace("stats", 1, 80, 10),
        pace("order_book", symbols, 5, 3),
        pace("trades", symbols, 4, 2),
        pace("klines", 2 * symbols, 2, 5),
    ]


def total(paces):
    return sum(each.per_minute for each in paces.values())


def slowed(paces):
    return {kind for kind, each in paces.items() if each.interval_seconds > each.wished_seconds}


def test_default_settings_fit_the_default_budget():
    paces = plan(wished(), BUDGET)
    assert slowed(paces) == set()
    assert paces["tracked_price"].interval_seconds == pytest.approx(240 / (240 + 0.85 * 3000 - 2448))


def test_weight_that_is_left_makes_what_people_look_at_faster_and_leaves_some_to_a_backfill():
    paces = plan(wished(5), BUDGET)
    assert paces["tracked_price"].interval_seconds == 0.5
    assert 1 < paces["trades"].interval_seconds < 2
    assert total(paces) == pytest.approx(BUDGET * SPEEDUP_SHARE)
    assert {kind for kind, each in paces.items() if each.interval_seconds < each.wished_seconds} == set(MAX_SPEEDUP)
    assert plan(wished(1), BUDGET)["trades"].interval_seconds == 1


@pytest.mark.parametrize("symbols", [1, 6, 9, 12, 20, 39])
def test_plan_fits_the_budget_as_long_as_anything_can_be_slowed(symbols):
    paces = plan(wished(symbols), BUDGET)
    at_its_slowest = sum(each.per_minute / MAX_SLOWDOWN[each.kind] for each in wished(symbols))
    assert at_its_slowest < BUDGET * PLANNED_SHARE
    assert total(paces) <= BUDGET * PLANNED_SHARE + 1e-6


@pytest.mark.parametrize("symbols", [9, 12, 20, 39])
def test_less_urgent_kind_is_slowed_to_its_limit_before_the_next_one_is_touched(symbols):
    paces = plan(wished(symbols), BUDGET)
    touched = [kind for kind in LEAST_URGENT_FIRST if kind in slowed(paces)]
    assert touched == list(LEAST_URGENT_FIRST[: len(touched)])
    for kind in touched[:-1]:
        assert paces[kind].interval_seconds == pytest.approx(paces[kind].wished_seconds * MAX_SLOWDOWN[kind])


def test_statistics_slow_down_first_and_trades_last():
    assert LEAST_URGENT_FIRST[0] == "stats"
    assert LEAST_URGENT_FIRST[-1] == "trades"
    assert slowed(plan(wished(9), BUDGET)) == {"stats"}


def test_nothing_is_slowed_more_than_needed():
    paces = plan(wished(9), BUDGET)
    assert total(paces) == pytest.approx(BUDGET * PLANNED_SHARE)


def test_budget_that_is_too_small_for_anything_slows_everything_to_its_limit():
    paces = plan(wished(), 1)
    for each in paces.values():
        assert each.interval_seconds == pytest.approx(each.wished_seconds * MAX_SLOWDOWN[each.kind])


def test_no_kind_is_requested_much_more_often_than_wished():
    for budget in (0, 1, 100, 1000, BUDGET, 1e9):
        for kind, each in plan(wished(), budget).items():
            assert each.interval_seconds >= each.wished_seconds / MAX_SPEEDUP.get(kind, 1)


def test_kind_without_any_request_is_left_out_of_the_plan():
    assert set(plan([pace("price", 1, 4, 2)], 1)) == {"price"}
    assert plan([], BUDGET) == {}


def test_every_kind_has_a_place_in_the_order_and_a_limit():
    assert set(LEAST_URGENT_FIRST) == set(MAX_SLOWDOWN) == {each.kind for each in wished()}


def test_lines_show_the_interval_the_wish_and_the_total():
    shown = lines(plan(wished(9), BUDGET), BUDGET, 6000)
    assert shown[0] == "price every 2 s: 120 weight/min"
    assert shown[2].startswith("stats every ")
    assert "(wished 10 s)" in shown[2]
    assert shown[3] == "order_book × 9 every 3 s: 900 weight/min"
    assert shown[-1] == "total 2850 of a budget of 3000, the exchange allows 6000"
