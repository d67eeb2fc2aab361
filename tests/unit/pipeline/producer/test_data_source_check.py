"""Live and simulated rows are never mixed in one database."""

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.producer import data_source_check
from pipeline.producer.data_source_check import OtherDataSource, check, checked_first

RANDOM = "simulator: random market, seed 7"
REPLAY = "simulator: replay of recorded data (a.csv)"
BINANCE = "live: data-api.binance.vision"


@pytest.mark.parametrize(
    ("stored", "coming"),
    [
        (None, "live"),
        (None, RANDOM),
        (BINANCE, "live"),
        (BINANCE, "live: api.binance.us"),
        (RANDOM, "simulator"),
        (RANDOM, REPLAY),
    ],
)
def test_same_kind_and_new_database_are_accepted(stored: str | None, coming: str) -> None:
    check(stored, coming)


def test_live_rows_are_refused_in_a_simulated_database() -> None:
    with pytest.raises(OtherDataSource) as refused:
        check(RANDOM, "live")
    message = str(refused.value)
    assert message.count("\n") == 0
    assert f'"{RANDOM}"' in message
    assert "continue with the stored data: `docker compose --profile demo up`" in message
    assert "`docker compose --profile demo down --volumes`, then `docker compose up`" in message


def test_simulated_rows_are_refused_in_a_live_database() -> None:
    with pytest.raises(OtherDataSource) as refused:
        check(BINANCE, RANDOM)
    message = str(refused.value)
    assert "continue with the stored data: `docker compose up`" in message
    assert "then `docker compose --profile demo up`" in message


class Calls:
    """A wrapped callback, an exchange that said `source`, and a database that holds `stored`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stored: str | None, source: str) -> None:
        self.seen: list[tuple[Any, Any]] = []
        self.read = 0

        def stored_source(_settings: object) -> str | None:
            self.read += 1
            return stored

        monkeypatch.setattr(data_source_check, "stored_source", stored_source)
        database: Any = SimpleNamespace(run=lambda action, stop: action(None))
        exchange: Any = SimpleNamespace(data_source=source)
        settings: Any = None
        stop: Any = None
        self.on_fetched = checked_first(self.record, settings, exchange, database, stop)

    def record(self, job: object, fetched: object) -> None:
        self.seen.append((job, fetched))


def call(on_fetched: Any, job: str) -> None:
    on_fetched(job, f"{job} fetched")


def test_the_database_is_asked_once_before_the_first_result_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, BINANCE, "")
    call(calls.on_fetched, "listing")
    call(calls.on_fetched, "prices")
    assert calls.read == 1
    assert calls.seen == [("listing", "listing fetched"), ("prices", "prices fetched")]


@pytest.mark.parametrize(("stored", "source"), [(BINANCE, RANDOM), (RANDOM, "")])
def test_no_result_is_used_when_the_other_kind_is_stored(
    monkeypatch: pytest.MonkeyPatch, stored: str, source: str
) -> None:
    calls = Calls(monkeypatch, stored, source)
    with pytest.raises(OtherDataSource):
        call(calls.on_fetched, "listing")
    assert calls.seen == []
