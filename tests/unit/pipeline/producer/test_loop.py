"""The producer's loop step by step, with time, threads, exchange and PostgreSQL replaced: how one
request affects the others."""

import logging
from types import SimpleNamespace

import psycopg2
import pytest

from pipeline.errors import ExchangeBanned, ExchangeError, UnknownSymbol
from pipeline.producer.ban import Ban
from pipeline.producer.batch import Batch
from pipeline.producer.budget import Budget
from pipeline.producer.client import Restricted, Unreachable
from pipeline.producer.database import Session
from pipeline.producer.jobs import Fetched, Job
from pipeline.producer.loop import THREADS, THREADS_PER_KIND, Loop
from pipeline.producer.plan import Pace
from pipeline.producer.pool import Done
from pipeline.producer.schedule import Schedule
from pipeline.tables import PRICES
from tests.unit.support.clocks import FakeStop

BASE_URL = "http://x"
EVERY_SECONDS = 5.0
ROWS = Fetched([Batch(PRICES, [{"symbol": "X", "price": 1}])], {"X": 5}, state=5)


class FakePool:
    """Calls finish when the test says so. `waits`: the time-outs for which the loop waited."""

    def __init__(self, clock, size=THREADS):
        self.size = size
        self.entries = {}
        self.waits = []
        self._clock = clock
        self._done = []

    @property
    def busy(self):
        return len(self.entries) + len(self._done)

    def submit(self, entry, call):
        self.entries[entry.job.name] = (entry, call)

    def next_done(self, timeout_seconds):
        self.waits.append(timeout_seconds)
        return self._done.pop(0) if self._done else None

    def finish(self, name, result=None, error=None):
        entry, _ = self.entries.pop(name)
        self._done.append(Done(entry, result, error, self._clock()))


class FakeDatabase:
    """`writes` are what was committed; `stopped`: a stop came before PostgreSQL answered."""

    def __init__(self, clock):
        self.writes = []
        self.stopped = False
        self.error = None
        self.bans = {}
        self.unavailable_seconds = 0
        self._clock = clock

    def run(self, action, stop):
        if self.error is not None:
            raise self.error
        if self.stopped:
            return None
        self._clock.now += self.unavailable_seconds
        return action(
            Session(
                SimpleNamespace(write=lambda *write: self.writes.append(write)),
                SimpleNamespace(keep_ban=self.bans.__setitem__, ban=lambda base_url: self.bans.get(base_url, 0.0)),
                SimpleNamespace(drop_old=lambda days: 0),
            )
        )


class FakeJobs:
    """A fixed set of jobs. `committed_names`, `left_out`: which jobs the loop reported."""

    def __init__(self, clock):
        self.schedule = Schedule(clock)
        self.committed_names = []
        self.left_out = []
        self._jobs = []

    def replace(self, *jobs):
        self._jobs = list(jobs)
        kinds = {job.kind for job in jobs}
        self.schedule.replace(jobs, {kind: Pace(kind, 1, 2, EVERY_SECONDS, EVERY_SECONDS) for kind in kinds})

    def committed(self, job, fetched, stop):
        self.committed_names.append(job.name)

    def leave_out(self, job):
        if job.symbol is None:
            return False
        self.left_out.append(job.name)
        self.replace(*(kept for kept in self._jobs if kept.symbol != job.symbol))
        return True


class ObservedJob(Job):
    def stored(self, fetched):
        self.on_stored(fetched)


class World:
    """Two jobs, `a` and `b`, both due; the exchange has answered before, so requests go in
    parallel."""

    def __init__(self, clock):
        self.clock = clock
        self.stop = FakeStop()
        self.ban = Ban(clock)
        self.budget = Budget(50, clock)
        self.exchange = SimpleNamespace(base_url=BASE_URL, ban=self.ban, budget=self.budget)
        self.database = FakeDatabase(clock)
        self.pool = FakePool(clock)
        self.jobs = FakeJobs(clock)
        self.loop = Loop(self.exchange, self.jobs, self.database, 3, clock, self.pool)
        self.jobs.replace(job("a"), job("b"))
        self.ban.confirmed(0)

    def step(self):
        self.loop.step(self.stop)

    def finish(self, name, result=None, error=None):
        """One step, in which this request finishes."""
        self.pool.finish(name, result, error)
        self.step()

    def entry(self, name):
        return self.jobs.schedule.entries[name]

    def seconds_to_due(self, name):
        return self.entry(name).due - self.clock.now


def job(name, kind=None, **changes):
    return Job(kind=kind or name, name=name, **{"weight": 2, **changes})


@pytest.fixture
def world(clock):
    return World(clock)


@pytest.fixture
def running(world):
    """Both requests are in flight."""
    world.step()
    assert set(world.pool.entries) == {"a", "b"}
    return world


def test_due_requests_are_sent_and_wait_for_an_answer(running):
    _, call = running.pool.entries["a"]
    assert (call.args, call.func) == ((running.exchange,), running.entry("a").job.fetch)
    assert running.entry("a").running
    assert running.budget.spent == 4


def test_job_learns_of_its_result_only_after_it_is_committed(world):
    writes_before = []
    world.jobs.replace(ObservedJob(kind="a", name="a", weight=2))
    world.entry("a").job.on_stored = lambda fetched: writes_before.append(len(world.database.writes))
    world.step()
    world.finish("a", ROWS)
    assert writes_before == [1]
    assert world.database.writes == [(ROWS.batches, ROWS.positions)]
    assert world.jobs.committed_names == ["a"]


def test_stop_before_the_commit_leaves_the_state_as_it_was(world):
    world.jobs.replace(ObservedJob(kind="a", name="a", weight=2))
    world.entry("a").job.on_stored = lambda fetched: pytest.fail("not committed")
    world.step()
    world.database.stopped = True
    world.finish("a", ROWS)
    assert world.jobs.committed_names == []


def test_failed_request_backs_off_alone(running):
    running.finish("b", Fetched())
    running.finish("a", error=ExchangeError("500"))
    assert 0 < running.seconds_to_due("a") <= 0.5
    assert not running.entry("a").running
    assert running.seconds_to_due("b") == EVERY_SECONDS
    assert running.jobs.committed_names == ["b"]


@pytest.mark.parametrize("error", [ExchangeBanned("429", 17), Restricted(BASE_URL)])
def test_banned_request_does_not_count_as_failed_and_is_due_as_before(running, error):
    due = running.entry("a").due
    running.finish("a", error=error)
    entry = running.entry("a")
    assert (entry.due, entry.running, entry.backoff.attempts) == (due, False, 0)


def test_ban_is_kept_once_and_restored_by_the_next_start(running, clock):
    running.ban.begin(17)
    running.finish("a", error=ExchangeBanned("429", 17))
    assert running.database.bans == {BASE_URL: 17}
    running.database.bans.clear()
    running.finish("b", error=ExchangeBanned("banned for 16 s more", 16))
    assert running.database.bans == {}
    next_start = World(clock)
    next_start.database.bans[BASE_URL] = 30.0
    next_start.stop.set()
    next_start.loop.run(next_start.stop)
    assert next_start.ban.remaining_seconds() == 30


def test_no_request_is_sent_before_a_kept_ban_is_restored(world):
    world.database.bans[BASE_URL] = 30.0
    world.pool.next_done = lambda timeout_seconds: world.stop.set()
    world.loop.run(world.stop)
    assert world.pool.entries == {}
    assert world.database.bans == {BASE_URL: 30.0}


def test_job_of_an_unknown_symbol_is_left_out_and_not_retried(world):
    world.jobs.replace(job("a", symbol="X"), job("b"))
    world.step()
    world.finish("a", error=UnknownSymbol("-1121"))
    assert world.jobs.left_out == ["a"]
    assert set(world.jobs.schedule.entries) == {"b"}


def test_unknown_symbol_of_a_request_without_a_symbol_is_retried(running):
    """-1121 of a request for the whole market: it stays in the schedule, so it must become due
    again."""
    running.finish("a", error=UnknownSymbol("-1121"))
    assert running.jobs.left_out == []
    assert not running.entry("a").running
    assert 0 < running.seconds_to_due("a") <= 0.5


def test_rows_that_postgresql_refuses_back_off_and_do_not_stop_the_others(running):
    running.database.error = psycopg2.errors.CheckViolation("no partition")
    running.finish("a", ROWS)
    assert running.seconds_to_due("a") > 0
    assert running.jobs.committed_names == []
    running.finish("b", Fetched())
    assert running.jobs.committed_names == ["b"]


def test_bug_in_a_job_stops_the_program(running):
    with pytest.raises(ZeroDivisionError):
        running.finish("a", error=ZeroDivisionError())


def test_no_request_is_sent_during_a_ban(world):
    world.ban.begin(60)
    world.step()
    assert world.pool.busy == 0
    assert world.budget.spent == 0


def test_active_ban_is_logged_rarely(world, caplog):
    world.ban.begin(600)
    for _ in range(45):
        world.step()
        world.clock.now += 1
    assert [record.getMessage() for record in caplog.records] == ["exchange_ban_active"] * 2


def test_request_without_weight_left_waits_and_a_lighter_one_is_sent(world):
    world.budget.limit_per_minute = 8  # of which 4 are ours
    world.jobs.replace(job("a", weight=50), job("b", weight=2))
    world.step()
    assert set(world.pool.entries) == {"b"}
    assert world.budget.spent == 2


def test_request_that_waits_long_for_weight_is_logged(world, caplog):
    world.budget.limit_per_minute = 8
    world.jobs.replace(job("a", weight=50))
    world.step()
    assert caplog.records == []
    world.clock.now += 6
    world.step()
    assert [(record.getMessage(), record.waiting) for record in caplog.records] == [("weight_short", "a")]


def test_requests_of_one_kind_that_hang_leave_threads_to_the_others(world):
    slow = [job(f"a{number}", kind="a") for number in range(20)]
    world.jobs.replace(*slow, job("quick"))
    world.clock.now += EVERY_SECONDS
    world.step()
    assert "quick" in world.pool.entries
    world.finish("quick", Fetched())
    assert world.jobs.committed_names == ["quick"]
    assert world.pool.busy == THREADS_PER_KIND


def test_after_a_ban_one_request_goes_alone(world):
    world.ban.begin(0)
    world.step()
    assert world.pool.busy == 1


def test_prices_that_waited_long_for_postgresql_are_discarded(world):
    world.jobs.replace(job("a", max_age_seconds=5))
    world.step()
    world.database.unavailable_seconds = 6
    world.finish("a", ROWS)
    assert world.database.writes == []
    assert world.jobs.committed_names == ["a"]


def test_discarded_result_does_not_count_as_stored(world):
    stored = []
    discarded = ObservedJob(kind="k", name="a", weight=2, max_age_seconds=5)
    discarded.on_stored = stored.append
    world.jobs.replace(discarded)
    for unavailable_seconds, count in ((6, 0), (0, 1)):
        world.clock.now += EVERY_SECONDS
        world.step()
        world.database.unavailable_seconds = unavailable_seconds
        world.finish("a", Fetched(ROWS.batches))
        assert len(stored) == count


def test_page_without_rows_moves_the_position(world):
    world.step()
    world.finish("a", Fetched(positions={"X": 5}))
    assert world.database.writes == [([], {"X": 5})]


def test_prices_that_waited_for_their_turn_are_discarded_too(world):
    world.jobs.replace(job("a", max_age_seconds=5))
    world.step()
    world.pool.finish("a", ROWS)
    world.clock.now += 6
    world.step()
    assert world.database.writes == []


def test_unreachable_exchange_is_logged_once_for_all_its_requests(world, caplog):
    caplog.set_level(logging.INFO, "pipeline")
    for name in ("a", "b", "a"):
        world.clock.now += EVERY_SECONDS
        world.step()
        world.finish(name, error=Unreachable("refused"))
    assert [record.getMessage() for record in caplog.records] == ["exchange_unavailable"]
    world.clock.now += EVERY_SECONDS
    world.step()
    for name in ("a", "b"):
        world.finish(name, Fetched())
    assert [record.getMessage() for record in caplog.records] == ["exchange_unavailable", "exchange_recovered"]


def test_housekeeping_that_postgresql_refuses_does_not_stop_the_program(world, caplog):
    world.database.error = psycopg2.errors.UndefinedFunction("no such function")
    world.step()
    world.step()
    assert [record.getMessage() for record in caplog.records] == ["trade_days_not_dropped"]


def test_wait_lasts_until_the_next_job_is_due_and_never_long(world):
    world.jobs.replace(job("a"))
    world.step()
    world.finish("a", Fetched())
    world.step()
    assert world.pool.waits[-1] == 0.5
    world.clock.now = world.entry("a").due - 0.2
    world.step()
    assert world.pool.waits[-1] == pytest.approx(0.2)


def test_idle_time_counts_from_the_last_success(running):
    running.clock.now += 100
    assert running.loop.idle_seconds() == 100
    running.finish("a", error=ExchangeError("500"))
    assert running.loop.idle_seconds() == 100
    running.finish("b", Fetched())
    assert running.loop.idle_seconds() == 0
