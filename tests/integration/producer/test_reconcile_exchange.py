"""The exchange and PostgreSQL, compared while the producer runs: what is missing, changed or too
much in PostgreSQL is found, and what can be repaired is."""

from contextlib import closing

import pytest

from pipeline import postgres
from pipeline.reconciliation import window as windows
from pipeline.reconciliation.connections import Sides
from pipeline.reconciliation.reconcile import Reconciliation
from pipeline.reconciliation.report import Report
from pipeline.settings import load
from pipeline.stopping import Stop
from pipeline.times import now_ms
from tests.support.producer_faults.world import World

BTC, ETH = "BTCUSDT", "ETHUSDT"
TRADES = "/api/v3/aggTrades"


def compared(world: World, repairs: bool = False, **environ: str) -> Report:
    """The last ten minutes, without Cassandra."""
    settings = load(
        "auditor",
        environ={**world.stack.environ, **world.environ, "BINANCE_BASE_URL": world.exchange.url, **environ},
        dotenv="/dev/null",
    )
    report = Report(windows.last(600))
    with closing(postgres.connect(settings, "test")) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        sides = Sides(connection, None, None)  # type: ignore[arg-type]
        Reconciliation(settings, sides, Stop()).exchange(report, report.window, repairs)
    return report


def wrong(report: Report) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {
        (line.table.split()[0], line.label): (line.missing, line.extra, line.different)
        for line in report.lines
        if line.wrong
    }


def ready(world: World) -> None:
    world.wait_for_trades(BTC, now_ms())
    world.wait_for_trades(ETH, now_ms())
    world.wait_for_rows("klines")
    world.wait_until("SELECT count(*) > 100 FROM klines WHERE is_closed")


def test_what_the_producer_has_stored_is_equal_while_it_goes_on(world: World) -> None:
    with world.running():
        ready(world)
        for _ in range(3):
            report = compared(world)
            assert (report.differences, report.notes, report.is_well) == ([], [], True), report.not_compared
    rows = {line.label: line.rows for line in report.lines}
    assert rows.keys() == {BTC, ETH, f"{BTC} 1m", f"{ETH} 1m"}
    assert min(rows[BTC], rows[ETH]) > 50
    assert rows[f"{BTC} 1m"] >= 8


def test_what_is_missing_or_changed_is_found_and_repaired(world: World) -> None:
    with world.running():
        ready(world)
        [(middle,)] = world.rows("SELECT (min(trade_id) + max(trade_id)) / 2 FROM recent_trades WHERE symbol = %s", BTC)
        world.rows(
            "DELETE FROM recent_trades WHERE symbol = %s AND trade_id BETWEEN %s AND %s", BTC, middle, middle + 9
        )
        world.rows(
            "UPDATE recent_trades SET price = 1 WHERE symbol = %s AND trade_id BETWEEN %s AND %s",
            BTC,
            middle + 20,
            middle + 24,
        )
        closed = "(SELECT max(open_time) FROM klines WHERE symbol = %s AND is_closed) - %s * interval '1 minute'"
        world.rows(f"DELETE FROM klines WHERE symbol = %s AND open_time = {closed}", ETH, ETH, 3)
        world.rows(f"UPDATE klines SET is_closed = false WHERE symbol = %s AND open_time = {closed}", ETH, ETH, 4)
        world.rows(f"UPDATE klines SET volume = 0.5 WHERE symbol = %s AND open_time = {closed}", ETH, ETH, 5)
        expected = {("recent_trades", BTC): (10, 0, 5), ("klines", f"{ETH} 1m"): (1, 0, 2)}
        found = compared(world)
        assert wrong(found) == expected
        assert not found.is_well
        repaired = compared(world, repairs=True)
        assert (repaired.repaired, repaired.unfixed, repaired.is_well) == (18, [], True)
        again = compared(world)
        assert (again.differences, again.is_well) == ([], True)


def test_a_trade_that_the_exchange_never_had_is_listed_and_left(world: World) -> None:
    with world.running(SYMBOLS=BTC):
        world.wait_for_trades(BTC, now_ms())
        world.exchange.fault("id_gap", symbol=BTC, from_id=(lost := first_id(world) + 5), to_id=lost)
        report = compared(world, repairs=True, SYMBOLS=BTC)
    assert wrong(report) == {("recent_trades", BTC): (0, 1, 0)}
    assert report.unfixed == [f"1 rows of recent_trades {BTC}: the exchange has none such"]
    assert world.rows("SELECT count(*) FROM recent_trades WHERE symbol = %s AND trade_id = %s", BTC, lost) == [(1,)]


def first_id(world: World) -> int:
    return world.rows("SELECT min(trade_id) FROM recent_trades WHERE symbol = %s", BTC)[0][0]


def test_nothing_is_asked_during_a_ban_and_the_ban_is_kept_for_the_producer(world: World) -> None:
    with world.running():
        ready(world)
    world.exchange.fault("http_418", retry_after_seconds=40)
    first = compared(world)
    assert "the exchange" in first.not_compared
    assert not first.is_well
    calls = world.exchange.calls(TRADES)
    second = compared(world)
    assert "the exchange" in second.not_compared
    assert world.exchange.calls(TRADES) == calls, "a request was sent during the ban"
    [(seconds,)] = world.rows("SELECT extract(epoch FROM banned_until - now())::float8 FROM exchange_ban")
    assert seconds == pytest.approx(40, abs=10)


def test_rows_of_another_exchange_are_not_compared(world: World) -> None:
    with world.running():
        ready(world)
    report = compared(world, BINANCE_BASE_URL="http://127.0.0.1:1")
    assert report.lines == []
    assert report.notes == [
        f"not compared with the exchange http://127.0.0.1:1: the rows come from {world.exchange.url}"
    ]
