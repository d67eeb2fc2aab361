import pytest

from pipeline.producer.budget import TOTAL_PERCENT, USUAL_LIMIT_PER_MINUTE, Budget


@pytest.fixture
def budget(clock):
    clock.now = 6000.0  # a full minute
    made = Budget(50, clock)
    made.limit_per_minute = 1000
    return made


def test_budget_is_a_share_of_the_usual_limit_until_the_exchange_gives_another(clock):
    assert Budget(50, clock).per_minute == USUAL_LIMIT_PER_MINUTE / 2 == 3000


def test_spending_stops_at_the_share_of_the_limit(budget):
    assert budget.take(480)
    assert not budget.take(21)
    assert budget.take(20)
    assert not budget.take(1)
    assert budget.spent == 500


def test_refused_weight_is_not_counted(budget):
    assert not budget.take(501)
    assert budget.used() == 0


def test_new_minute_starts_with_the_whole_budget(budget, clock):
    assert budget.take(500)
    clock.now += 59.9
    assert not budget.take(1)
    clock.now += 0.2
    assert budget.take(500)


def test_less_urgent_kind_leaves_what_urgent_ones_need_until_the_minute_ends(budget, clock):
    assert budget.take(200, reserved_per_minute=300)
    assert not budget.take(1, reserved_per_minute=300)
    assert budget.take(1)
    clock.now += 30
    assert budget.take(149, reserved_per_minute=300)
    assert not budget.take(1, reserved_per_minute=300)
    assert budget.take(150)
    assert not budget.take(1)


def test_weight_of_others_on_this_address_leaves_us_less(budget):
    budget.report(850)
    total = 1000 * TOTAL_PERCENT // 100
    assert budget.take(total - 850)
    assert not budget.take(1)


def test_our_own_weight_in_the_report_is_not_counted_twice(budget):
    assert budget.take(300)
    budget.report(300)
    assert budget.take(200)
    assert budget.used() == 500


def test_reports_that_arrive_out_of_order_change_little(budget):
    budget.report(880)
    budget.report(870)
    assert budget.used() >= 870
    assert not budget.take(31)


def test_report_of_the_last_minute_does_not_count_in_the_new_one(budget, clock):
    budget.report(900)
    clock.now += 60
    assert budget.used() == 0
    assert budget.take(500)


def test_reply_that_was_in_flight_when_the_minute_ended_does_not_stop_the_new_one(clock):
    """It reports the old minute's weight, most of it our own; the next reply corrects it, so it
    must not count as what others use for a whole minute."""
    clock.now = 6000.0
    budget = Budget(90, clock)
    budget.limit_per_minute = 1000
    assert budget.take(900)
    sent_in = budget.minute
    clock.now += 60.05
    budget.report(900, sent_in)
    assert budget.used() == 0
    assert budget.take(100)


def test_smaller_limit_of_the_exchange_counts_at_once(budget):
    assert budget.take(400)
    budget.limit_per_minute = 600
    assert budget.per_minute == 300
    assert not budget.take(1)


def test_used_is_the_larger_of_spent_and_reported(budget):
    budget.take(200)
    assert budget.used() == 200
    budget.report(350)
    assert budget.used() == 350


@pytest.mark.parametrize(("now", "left"), [(6000.0, 60), (6001.0, 59), (6059.5, 0.5)])
def test_next_minute_begins_with_the_clock_minute(clock, now, left):
    clock.now = now
    assert Budget(50, clock).seconds_to_next_minute() == pytest.approx(left)


def test_plan_is_made_with_what_others_left_in_this_minute_and_the_last(budget, clock):
    assert budget.available_per_minute() == 500
    budget.report(700)
    assert budget.available_per_minute() == 200
    clock.now += 60
    assert budget.available_per_minute() == 200
    assert budget.take(500)
    clock.now += 60
    assert budget.available_per_minute() == 500
    budget.report(2000)
    assert budget.available_per_minute() == 0
