"""Symbols that do not exist, come, halt and go. The listing is read every second here."""

from pipeline.times import now_ms
from tests.support.producer_faults import truth
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

NEW = "NEWCOINUSDT"


def test_symbol_that_does_not_exist_is_told_once_and_the_others_go_on(world: World) -> None:
    with world.running(SYMBOLS="NOSUCHUSDT,ETHUSDT", LISTING_SECONDS="0.5"):
        wait_until(lambda: world.exchange.calls("/api/v3/exchangeInfo") >= 3, 10, "three listings")
        world.wait_for_rows("order_book")
        world.wait_for_rows("recent_trades")
    assert [said["symbol"] for said in world.said("symbol_left_out")] == ["NOSUCHUSDT"]


def test_symbol_that_is_refused_for_a_while_comes_back_without_a_missing_trade(world: World) -> None:
    since_ms = now_ms() - 50_000
    with world.running(LISTING_SECONDS="1"):
        world.wait_for_rows("order_book", 2)
        world.exchange.fault("invalid_symbol", symbol="ETHUSDT")
        world.wait_until_said("symbol_left_out")
        book = world.value("SELECT last_update_id FROM order_book WHERE symbol = 'BTCUSDT'")
        newer = "SELECT last_update_id > %s FROM order_book WHERE symbol = 'BTCUSDT'"
        wait_until(lambda: world.value(newer, book), 10, "a newer book of the other symbol")
        world.exchange.clear()
        world.wait_until_said("symbol_tracked_again")
        until_ms = now_ms()
        world.wait_for_trades("ETHUSDT", until_ms)
    assert truth.trades(world, ["ETHUSDT"], since_ms, until_ms).wrong == []
    assert [said["symbol"] for said in world.said("symbol_left_out")] == ["ETHUSDT"]


def test_new_symbol_joins_the_market_and_a_halted_one_leaves_it(world: World) -> None:
    with world.running(LISTING_SECONDS="0.5"):
        world.wait_for_rows("latest_prices", 12)
        quiet = world.value("SELECT min(symbol) FROM latest_prices WHERE symbol NOT IN ('BTCUSDT', 'ETHUSDT')")
        world.exchange.fault("new_symbol", symbol=NEW)
        world.exchange.fault("symbol_status", symbol=quiet)
        priced = "SELECT count(*) > 0 FROM latest_prices WHERE symbol = %s"
        wait_until(lambda: world.value(priced, NEW), 10, f"a price of {NEW}")
        world.wait_until_said("symbols_changed")
    changes = [(said["came"], said["went"]) for said in world.said("symbols_changed")]
    assert {came for came, _ in changes} | {went for _, went in changes} >= {NEW, quiet}


def test_symbol_that_is_listed_later_is_tracked_from_then_on(world: World) -> None:
    with world.running(SYMBOLS=f"BTCUSDT,{NEW}", LISTING_SECONDS="0.5"):
        world.wait_until_said("symbol_left_out")
        world.exchange.fault("new_symbol", symbol=NEW)
        world.wait_until_said("symbol_tracked_again")
        wait_until(lambda: world.value("SELECT count(*) FROM order_book") == 2, 10, "its order book")
