"""The producer's loop against a fake exchange and database: what one failing request does to the
others."""

import logging
import threading
import time
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
from pipeline.producer.loop import THREADS_PER_KIND, Loop
from pipeline.producer.plan import Pace
from pipeline.producer.pool import Done
from pipeline.producer.schedule import Schedule
from pipeline.tables import PRICES
from tests.unit.support.clocks import FakeStop


class FakeDatabase:
    """`writes` are what came to be committed; `result` None means that a stop came first."""

    def __init__(self):
        self.writes = []
        self.result = True
        self.error = None
        self.bans = {}

    def run(self, action, stop):
        if self.error is not None:
            raise self.error
        if self.result is not None:
            return action(
                Session(
                    SimpleNamespace(write=lambda *write: self.writes.append(write)),
                    SimpleNamespace(keep_ban=self.bans.__setitem__, ban=lambda base_url: self.bans.get(base_url, 0.0)),
                    SimpleNamespace(drop_old=lambda days: 0),
                )
            )
        return self.result


class World:
    def __init__(self):
        self.ban = Ban()
        self.budget = Budget(50)
        self.schedule = Schedule(time.monotonic)
        self.database = FakeDatabase()
        self.fetched = []
        self.unknown = []
        self.loop = Loop(
            SimpleNamespace(base_url="http://x"),
            self.ban,
            self.budget,
            self.schedule,
            self.database,
            lambda job, result: self.fetched.append(job.name),
            lambda job: self.unknown.append(job.name),
            3,
        )
        names = ("a", "b")
        jobs = [Job(kind=name, name=name, weight=2) for name in names]
        self.schedule.replace(jobs, {name: Pace(name, 1, 2, 5, 5) for name in names})
        self.entry = self.schedule.due()[0]
        self.entry.running = True
        self.ban.confirmed(0)

    def finish(self, result=None, error=None):
        self.loop._finish(Done(self.entry, result, error), FakeStop())

    def seconds_to_due(self):
        return self.entry.due - time.monotonic()


@pytest.fixture
def world():
    return World()


ROWS = Fetched([Batch(PRICES, [{"symbol": "X", "price": 1}])], {"X": 5}, state=5)


def test_result_is_told_only_after_it_is_committed(world):
    stored = []
    note = lambda _fetched: stored.append(len(world.database.writes))  # noqa: E731
    world.entry.job = SimpleNamespace(kind="a", name="a", stored=note, good_seconds=float("inf"))
    world.finish(ROWS)
    assert stored == [1]
    assert world.database.writes == [(ROWS.batches, ROWS.positions)]
    assert world.fetched == ["a"]


def test_stop_before_the_commit_leaves_the_state_as_it_was(world):
    world.database.result = None
    world.entry.job = SimpleNamespace(kind="a", name="a", stored=lambda fetched: pytest.fail("not committed"))
    world.finish(ROWS)
    assert world.fetched == []


def test_failed_request_backs_off_alone(world):
    world.finish(error=ExchangeError("500"))
    assert 0 < world.seconds_to_due() <= 0.5
    assert not world.entry.running
    assert [entry.job.name for entry in world.schedule.due()] == ["b"]
    assert world.fetched == []


@pytest.mark.parametrize("error", [ExchangeBanned("429", 17), Restricted("http://x")])
def test_banned_request_does_not_count_as_failed_and_is_due_as_before(world, error):
    due = world.entry.due
    world.finish(error=error)
    assert (world.entry.due, world.entry.running, world.entry.backoff.attempts) == (due, False, 0)


def test_ban_is_kept_once_and_restored_by_the_next_start(world):
    world.ban.begin(17)
    world.finish(error=ExchangeBanned("429", 17))
    assert world.database.bans == {"http://x": pytest.approx(17, abs=1)}
    world.database.bans.clear()
    world.finish(error=ExchangeBanned("banned for 16 s more", 16))
    assert world.database.bans == {}
    world.database.bans["http://x"] = 30.0
    world.loop._restore_ban(FakeStop())
    assert world.ban.remaining_seconds() == pytest.approx(30, abs=1)


def test_unknown_symbol_is_handed_on_and_not_retried(world):
    world.finish(error=UnknownSymbol("-1121"))
    assert world.unknown == ["a"]


def test_request_that_stays_after_an_unknown_symbol_is_asked_again(world):
    """-1121 of a request without a symbol (the whole market): it stays in the schedule, so it must
    come up again."""
    world.finish(error=UnknownSymbol("-1121"))
    assert world.entry in world.schedule
    assert not world.entry.running
    assert world.seconds_to_due() > 0


def test_rows_that_the_database_refuses_back_off_and_do_not_stop_the_rest(world):
    world.database.error = psycopg2.errors.CheckViolation("no partition")
    world.finish(ROWS)
    assert world.seconds_to_due() > 0
    assert world.fetched == []


def test_bug_in_a_job_stops_the_program(world):
    with pytest.raises(ZeroDivisionError):
        world.finish(error=ZeroDivisionError())


def test_no_request_is_sent_during_a_ban(world):
    world.entry.running = False
    world.ban.begin(60)
    world.loop._submit_due()
    assert world.loop._pool.busy == 0
    assert world.budget.spent == 0


def test_request_without_weight_left_waits_and_a_lighter_one_goes(world):
    world.entry.running = False
    world.budget.limit_per_minute = 8  # of which 4 are ours
    heavy_calls, light_calls = [], []
    heavy = SimpleNamespace(kind="a", name="a", weight=50, fetch=heavy_calls.append)
    light = SimpleNamespace(kind="b", name="b", weight=2, fetch=light_calls.append)
    world.schedule.replace([heavy, light], {name: Pace(name, 1, 2, 5, 5) for name in ("a", "b")})
    world.loop._submit_due()
    assert world.loop._pool.next_done(5).job.job is light
    assert (heavy_calls, len(light_calls)) == ([], 1)
    assert world.budget.spent == 2


def test_requests_of_one_kind_that_hang_leave_threads_to_the_others(world):
    hang = threading.Event()
    slow = [SimpleNamespace(kind="a", name=f"a{n}", weight=2, fetch=lambda _: hang.wait(10)) for n in range(20)]
    quick = SimpleNamespace(kind="b", name="b", weight=2, fetch=lambda _: "answer")
    world.schedule.replace([*slow, quick], {name: Pace(name, 1, 2, 0.001, 0.001) for name in ("a", "b")})
    wait_for_due(world.schedule, 21)
    world.loop._submit_due()
    try:
        assert world.loop._pool.next_done(5).job.job is quick
        assert world.loop._pool.busy == THREADS_PER_KIND
    finally:
        hang.set()


def test_after_a_ban_one_request_goes_alone(world):
    world.entry.running = False
    world.ban.begin(0)
    world.loop._submit_due()
    assert world.loop._pool.busy == 1


def test_prices_that_waited_long_for_postgresql_are_thrown_away(world):
    world.entry.job = Job(kind="a", name="a", weight=2, good_seconds=5)
    world.finish(Fetched(ROWS.batches, at=time.monotonic() - 6))
    assert world.database.writes == []
    assert world.fetched == ["a"]


def test_exchange_that_is_away_is_told_once_for_all_its_requests(world, caplog):
    caplog.set_level(logging.INFO, "pipeline")
    other = next(entry for entry in world.schedule.due() if entry is not world.entry)
    for entry in (world.entry, other, world.entry):
        world.loop._running[entry.job.kind] += 1
        world.loop._finish(Done(entry, None, Unreachable("refused")), FakeStop())
    assert [record.getMessage() for record in caplog.records] == ["exchange_unavailable"]
    for entry in (world.entry, other):
        world.loop._finish(Done(entry, Fetched(), None), FakeStop())
    assert [record.getMessage() for record in caplog.records] == ["exchange_unavailable", "exchange_recovered"]


def test_housekeeping_that_postgresql_refuses_does_not_stop_the_program(world, caplog):
    world.database.error = psycopg2.errors.UndefinedFunction("no such function")
    world.loop._housekeep(FakeStop())
    world.loop._housekeep(FakeStop())
    assert [record.getMessage() for record in caplog.records] == ["trade_days_not_dropped"]


def wait_for_due(schedule, count):
    deadline = time.monotonic() + 5
    while len(schedule.due()) < count:
        assert time.monotonic() < deadline
