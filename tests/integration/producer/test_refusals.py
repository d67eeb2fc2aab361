"""Refusals and broken replies of the exchange, and what the producer does until it serves again."""

import pytest

from tests.support.producer_faults.bans import calls_inside
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

KLINES, DEPTH = "/api/v3/klines", "/api/v3/depth"


@pytest.mark.parametrize("status", [429, 418])
def test_ban_stops_every_request_for_retry_after(world: World, status: int) -> None:
    with world.running():
        world.wait_for_rows("klines")
        world.exchange.fault(f"http_{status}", count=1, retry_after_seconds=1.5)
        world.wait_until_logged("exchange_banned")
        world.wait_until_logged("exchange_ban_lifted")
        world.exchange.collect()
        served = world.exchange.calls(DEPTH)
        wait_until(lambda: world.exchange.calls(DEPTH) > served, 30, "requests after the ban")
    calls = calls_inside(world)
    assert (calls.bans, calls.violations) == (1, [])
    (line,) = world.logged("exchange_banned")
    assert (line["status"], line["ban_s"]) == (str(status), "2.0")


def test_ban_outlives_a_producer_that_was_killed_during_it(world: World) -> None:
    def answers_are_logged() -> object:
        """Of the requests that were under way when the ban came: a killed producer logs none."""
        world.exchange.collect()
        return len(world.logged("request_in_flight_at_ban")) >= len(world.exchange.violations)

    with world.running():
        world.wait_for_rows("klines")
        world.exchange.fault("http_418", count=1, retry_after_seconds=8)
        world.wait_until_logged("exchange_banned")
        world.wait_for_rows("exchange_ban")
        wait_until(answers_are_logged, 10, "the answers to requests under way")
        world.producer.kill()
        world.start_producer()
        world.wait_until_logged("exchange_ban_restored")
        world.wait_until_logged("exchange_ban_lifted")
        world.exchange.collect()
    assert calls_inside(world).violations == []


def test_restricted_location_is_logged_with_the_setting_to_change_and_no_request_follows(world: World) -> None:
    world.exchange.fault("http_451")
    with world.running():
        world.wait_until_logged("exchange_banned")
        (line,) = world.logged("exchange_banned")
        assert "Set BINANCE_BASE_URL to an address that does" in line["error"]
        assert world.exchange.report()["calls"] == {"/api/v3/exchangeInfo": {"451": 1}}


def test_requests_of_one_kind_that_hang_do_not_stop_the_others(world: World) -> None:
    world.exchange.fault("timeout", seconds=30, paths=[KLINES])
    with world.running() as producer:
        wait_until(lambda: world.exchange.faults()[0]["times_struck"] == 2, 30, "both candle requests hanging")
        served = {"endpoint": DEPTH, "status": "200"}
        before = producer.metric("producer_requests_total", **served)
        wait_until(lambda: producer.metric("producer_requests_total", **served) >= before + 4, 30, "newer books")
        assert world.value("SELECT count(*) FROM klines") == 0


def test_broken_replies_are_retried_logged_once_and_stop_nothing(world: World) -> None:
    with world.running():
        world.wait_for_rows("order_book", 2)
        world.exchange.fault("wrong_shape", paths=[DEPTH])
        world.exchange.fault("http_403_html", paths=[KLINES])
        world.wait_until_logged("order_book_unavailable")
        world.wait_until_logged("klines_unavailable")
        trades = world.value("SELECT max(trade_time) FROM recent_trades")
        wait_until(lambda: world.value("SELECT max(trade_time) FROM recent_trades") > trades, 30, "newer trades")
        world.exchange.clear()
        world.wait_until_logged("order_book_recovered")
        world.wait_until_logged("klines_recovered")
    assert [len(world.logged(event)) for event in ("order_book_unavailable", "klines_unavailable")] == [1, 1]
