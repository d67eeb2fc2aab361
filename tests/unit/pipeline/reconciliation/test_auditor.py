"""The auditor's rounds: what they export, and what happens when something is unavailable."""

from contextlib import contextmanager

import pytest
from prometheus_client import REGISTRY

from pipeline.errors import StoreUnavailable
from pipeline.reconciliation import auditor as module
from pipeline.reconciliation.auditor import EXCHANGE_OVERLAP_MS, Auditor
from pipeline.settings import load


class Stop:
    """Requested after so many waits."""

    def __init__(self, waits: int) -> None:
        self._left = waits
        self.waited: list[float] = []

    @property
    def requested(self) -> bool:
        return self._left <= 0

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self._left -= 1
        return self.requested


class Rounds:
    """Stands for Reconciliation: one function per round says what it finds."""

    def __init__(self, *exchange, stores=lambda report: None) -> None:
        self._exchange = list(exchange)
        self._stores = stores
        self.windows: list = []

    def __call__(self, *_: object, **__: object) -> "Rounds":
        return self

    def exchange(self, report, window, repairs) -> None:
        assert not repairs
        self.windows.append((window, report.window))
        self._exchange.pop(0)(report)

    def stores(self, report, repairs) -> None:
        assert not repairs
        self._stores(report)


def equal(report) -> None:
    report.line("klines (exchange)", "AUSDT").rows += 5


def missing(report) -> None:
    report.line("klines (exchange)", "AUSDT").missing += 2


def unreachable(report) -> None:
    report.not_compared["the exchange"] = "refused"


@contextmanager
def sides(_settings):
    yield None


def run(monkeypatch: pytest.MonkeyPatch, rounds: Rounds, count: int, **environ: str) -> Stop:
    monkeypatch.setattr(module, "open_sides", sides)
    monkeypatch.setattr(module, "Reconciliation", rounds)
    stop = Stop(count)
    Auditor(load("auditor", environ=environ, dotenv="/dev/null"), stop).run()  # type: ignore[arg-type]
    return stop


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_an_equal_round_moves_the_time_up_to_which_everything_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "time", lambda: 1000.0)
    run(monkeypatch, Rounds(equal), 1)
    assert sample("auditor_equal_until_timestamp_seconds") == 1000
    assert sample("auditor_differences", table="klines (exchange)", kind="missing") == 0
    monkeypatch.setattr(module.time, "time", lambda: 2000.0)
    run(monkeypatch, Rounds(missing, unreachable), 2)
    assert sample("auditor_equal_until_timestamp_seconds") == 1000
    assert sample("auditor_last_round_timestamp_seconds") == 2000
    assert sample("auditor_exchange_compared") == 0


def test_a_redis_that_could_not_be_compared_is_exported_and_logged_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without_redis(report) -> None:
        report.not_compared["Redis"] = "Redis is empty"

    monkeypatch.setattr(module.time, "time", lambda: 3000.0)
    run(monkeypatch, Rounds(equal, stores=without_redis), 1, REDIS_URL="redis://host")
    assert sample("auditor_redis_compared") == 0
    assert sample("auditor_exchange_compared") == 1
    assert sample("auditor_equal_until_timestamp_seconds") != 3000
    (record,) = (record for record in caplog.records if record.message == "not_compared")
    assert (record.side, record.reason) == ("Redis", "Redis is empty")
    run(monkeypatch, Rounds(equal), 1, REDIS_URL="redis://host")
    assert sample("auditor_redis_compared") == 1
    run(monkeypatch, Rounds(equal), 1)
    assert sample("auditor_redis_compared") == 0


def test_a_difference_is_exported_until_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, Rounds(missing), 1)
    assert sample("auditor_differences", table="klines (exchange)", kind="missing") == 2
    run(monkeypatch, Rounds(missing, lambda report: None), 2)
    assert sample("auditor_differences", table="klines (exchange)", kind="missing") is None


def test_the_exchange_is_asked_for_what_is_new_and_for_what_differs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Rounds(missing, equal, unreachable, equal, equal)
    run(monkeypatch, rounds, 5)
    asked, whole = zip(*rounds.windows)
    starts = [one.from_ms for one in asked]
    assert starts[:2] == [one.from_ms for one in whole[:2]]
    assert starts[2] == starts[3] == whole[1].to_ms - EXCHANGE_OVERLAP_MS
    assert starts[4] == whole[3].to_ms - EXCHANGE_OVERLAP_MS


def test_an_outage_ends_the_round_and_the_next_one_comes_sooner(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(_report) -> None:
        raise StoreUnavailable("Cassandra is down")

    caplog.set_level("INFO")
    stop = run(monkeypatch, Rounds(equal, equal, stores=down), 2)
    assert max(stop.waited) < module.PAUSE_SECONDS
    assert "audit_unavailable" in caplog.messages
