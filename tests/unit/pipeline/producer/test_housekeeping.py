import logging
from types import SimpleNamespace

import psycopg2
import pytest

from pipeline.producer.housekeeping import INTERVAL_SECONDS, RETRY_SECONDS, Housekeeping
from tests.unit.support.clocks import FakeStop


class FakeDatabase:
    """`kept_days`: the argument of every call."""

    def __init__(self):
        self.kept_days = []
        self.dropped = 0
        self.error = None

    def run(self, action, stop):
        return action(SimpleNamespace(trade_days=self))

    def drop_old(self, kept_days):
        self.kept_days.append(kept_days)
        if self.error is not None:
            raise self.error
        return self.dropped


@pytest.fixture
def database():
    return FakeDatabase()


@pytest.fixture
def housekeeping(database, clock):
    return Housekeeping(database, 3, clock)


def test_old_days_are_dropped_at_the_start_and_then_once_an_interval(housekeeping, database, clock):
    housekeeping.run_if_due(FakeStop())
    housekeeping.run_if_due(FakeStop())
    assert database.kept_days == [3]
    clock.now += INTERVAL_SECONDS
    housekeeping.run_if_due(FakeStop())
    assert database.kept_days == [3, 3]


def test_refusal_is_logged_and_retried_sooner(housekeeping, database, clock, caplog):
    database.error = psycopg2.errors.UndefinedFunction("no such function")
    housekeeping.run_if_due(FakeStop())
    database.error = None
    clock.now += RETRY_SECONDS
    housekeeping.run_if_due(FakeStop())
    assert len(database.kept_days) == 2
    assert [record.getMessage() for record in caplog.records] == ["trade_days_not_dropped"]


def test_dropped_days_are_logged(housekeeping, database, caplog):
    caplog.set_level(logging.INFO, "pipeline")
    database.dropped = 2
    housekeeping.run_if_due(FakeStop())
    (record,) = caplog.records
    assert (record.getMessage(), record.days, record.kept_days) == ("trade_days_dropped", 2, 3)
