import pytest

from pipeline.producer.jobs import Job
from pipeline.producer.plan import Pace
from pipeline.producer.schedule import FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS, Schedule


def job(kind, name):
    return Job(kind=kind, name=name, weight=1)


def paces(**seconds):
    return {kind: Pace(kind, 1, 1, every, every) for kind, every in seconds.items()}


@pytest.fixture
def schedule(clock):
    return Schedule(clock)


def names(entries):
    return [entry.job.name for entry in entries]


def entry_of(schedule, name):
    return schedule.entries[name]


def test_first_job_is_due_at_once_and_the_others_are_spread_over_the_interval(schedule, clock):
    schedule.replace([job("book", f"book:{n}") for n in range(4)], paces(book=8))
    assert names(schedule.due()) == ["book:0"]
    assert [entry_of(schedule, f"book:{n}").due - clock.now for n in range(4)] == [0, 2, 4, 6]


def test_most_overdue_job_goes_first(schedule, clock):
    schedule.replace([job("a", "a"), job("b", "b"), job("c", "c")], paces(a=5, b=5, c=5))
    for name, overdue in (("a", 1), ("b", 9), ("c", 4)):
        entry_of(schedule, name).due = clock.now - overdue
    assert names(schedule.due()) == ["b", "c", "a"]


def test_running_job_is_not_due_again(schedule):
    schedule.replace([job("a", "a")], paces(a=5))
    entry_of(schedule, "a").running = True
    assert schedule.due() == []


def test_rate_is_fixed_and_counted_from_when_it_was_due(schedule, clock):
    schedule.replace([job("a", "a")], paces(a=5))
    entry, began = entry_of(schedule, "a"), clock.now
    for turn in range(1, 4):
        entry.running = True
        clock.now += 1.5
        schedule.succeeded(entry, again=False)
        assert entry.due == began + 5 * turn
        clock.now = entry.due
    assert not entry.running


def test_missed_starts_are_skipped_and_spread_ones_stay_spread(schedule, clock):
    schedule.replace([job("a", "a"), job("a", "b")], paces(a=5))
    began = clock.now
    clock.now += 23
    for name, due in (("a", began + 25), ("b", began + 27.5)):
        schedule.succeeded(entry_of(schedule, name), again=False)
        assert entry_of(schedule, name).due == due


def test_extra_start_leaves_the_weight_of_the_whole_plan(schedule, clock):
    pace = {kind: Pace(kind, 1, 10, 5, 5) for kind in ("stats", "trades")}
    schedule.replace([job("stats", "s"), job("trades", "t")], pace)
    stats, trades = entry_of(schedule, "s"), entry_of(schedule, "t")
    assert (schedule.reserved_per_minute(stats), schedule.reserved_per_minute(trades)) == (120, 0)
    schedule.succeeded(trades, again=True)
    assert trades in schedule.due()
    assert schedule.reserved_per_minute(trades) == 240
    clock.now += 5
    assert schedule.reserved_per_minute(trades) == 0


def test_page_of_a_backlog_does_not_move_the_next_regular_start(schedule, clock):
    schedule.replace([job("a", "a")], paces(a=5))
    entry, began = entry_of(schedule, "a"), clock.now
    for _ in range(7):
        clock.now += 0.1
        schedule.succeeded(entry, again=True)
    schedule.succeeded(entry, again=False)
    assert entry.due == began + 5


def test_shorter_interval_counts_at_once(schedule, clock):
    schedule.replace([job("a", "a")], paces(a=120))
    schedule.succeeded(entry_of(schedule, "a"), again=False)
    schedule.replace([job("a", "a")], paces(a=10))
    assert entry_of(schedule, "a").due == clock.now + 10


def test_job_with_more_to_fetch_is_due_at_once(schedule, clock):
    schedule.replace([job("a", "a")], paces(a=5))
    entry = entry_of(schedule, "a")
    clock.now += 0.3
    schedule.succeeded(entry, again=True)
    assert names(schedule.due()) == ["a"]
    assert schedule.seconds_to_next() == 0


def test_failing_job_is_retried_after_growing_delays(schedule, clock):
    schedule.replace([job("a", "a"), job("b", "b")], paces(a=5, b=5))
    entry = entry_of(schedule, "a")
    delays = []
    for _ in range(12):
        entry.running = True
        delays.append(schedule.failed(entry))
        assert not entry.running
        assert entry.due == clock.now + delays[-1]
    assert delays[0] <= FIRST_RETRY_SECONDS
    assert delays[0] < delays[2] < delays[5]
    assert MAX_RETRY_SECONDS * 0.75 <= delays[-1] <= MAX_RETRY_SECONDS
    assert names(schedule.due()) == ["b"]


def test_success_resets_the_back_off(schedule):
    schedule.replace([job("a", "a")], paces(a=5))
    entry = entry_of(schedule, "a")
    for _ in range(8):
        schedule.failed(entry)
    schedule.succeeded(entry, again=False)
    assert schedule.failed(entry) <= FIRST_RETRY_SECONDS


def test_job_that_was_put_back_is_due_as_before(schedule, clock):
    schedule.replace([job("a", "a")], paces(a=5))
    entry = entry_of(schedule, "a")
    due, entry.running = entry.due, True
    clock.now += 60
    schedule.put_back(entry)
    assert (entry.due, entry.running, entry.backoff.attempts) == (due, False, 0)


def test_job_that_stays_keeps_its_due_time_and_its_back_off(schedule, clock):
    schedule.replace([job("a", "a"), job("a", "b")], paces(a=8))
    entry = entry_of(schedule, "a")
    schedule.failed(entry)
    due, attempts = entry.due, entry.backoff.attempts
    clock.now += 0.1
    schedule.replace([job("a", "a"), job("a", "c")], paces(a=12))
    assert entry_of(schedule, "a") is entry
    assert (entry.due, entry.backoff.attempts, entry.every_seconds) == (due, attempts, 12)


def test_removed_job_is_no_longer_due(schedule):
    schedule.replace([job("a", "a"), job("b", "b")], paces(a=5, b=5))
    gone = entry_of(schedule, "a")
    schedule.replace([job("b", "b")], paces(b=5))
    assert names(schedule.due()) == ["b"]
    assert gone not in schedule.entries.values()


def test_running_job_stays_running_when_the_set_is_replaced(schedule):
    schedule.replace([job("a", "a")], paces(a=5))
    entry_of(schedule, "a").running = True
    schedule.replace([job("a", "a")], paces(a=5))
    assert schedule.due() == []


def test_pause_lasts_until_the_next_job_that_is_not_running(schedule, clock):
    schedule.replace([job("a", "a"), job("a", "b")], paces(a=8))
    assert schedule.seconds_to_next() == 0
    entry_of(schedule, "a").running = True
    assert schedule.seconds_to_next() == 4
    entry_of(schedule, "b").running = True
    assert schedule.seconds_to_next() == 1
    clock.now += 100
    entry_of(schedule, "b").running = False
    assert schedule.seconds_to_next() == 0


def test_schedule_without_jobs_is_checked_every_second(schedule):
    assert schedule.due() == []
    assert schedule.seconds_to_next() == 1
