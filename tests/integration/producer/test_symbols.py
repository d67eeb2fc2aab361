"""Symbols that do not exist, are added, halted or removed. The listing is read every second or more
often here."""

from pipeline.times import now_ms
from tests.support.producer_faults import truth
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

NEW = "NEWCOINUSDT"


def test_symbol_that_does_not_exist_is_logged_once_and_the_others_continue(world: World) -> None:
    with world.running(SYMBOLS="NOSUCHUSDT,ETHUSDT", LISTING_INTERVAL_SECONDS="0.5"):
        wait_until(lambda: world.exchange.calls("/api/v3/exchangeInfo") >= 3, 30, "three listings")
        world.wait_for_rows("order_book")
        world.wait_for_rows("recent_trades")
    assert [line["symbol"] for line in world.logged("symbol_left_out")] == ["NOSUCHUSDT"]


def test_instruments_are_stored_with_their_steps_and_written_only_when_they_change(world: World) -> None:
    with world.running(LISTING_INTERVAL_SECONDS="0.5"):
        world.wait_for_rows("instruments", 12)
        row = "SELECT (base_asset, quote_asset, tick_size, step_size, status)::text FROM instruments WHERE symbol = %s"
        assert world.value(row, "ETHUSDT") == "(ETH,USDT,0.01000000,0.00010000,TRADING)"
        newest = world.value("SELECT max(updated_at) FROM instruments")
        listings = world.exchange.calls("/api/v3/exchangeInfo")
        wait_until(lambda: world.exchange.calls("/api/v3/exchangeInfo") >= listings + 3, 30, "three more listings")
        assert world.value("SELECT max(updated_at) FROM instruments") == newest


def test_symbol_that_is_refused_for_a_while_is_tracked_again_without_a_missing_trade(world: World) -> None:
    since_ms = now_ms() - 50_000
    with world.running(LISTING_INTERVAL_SECONDS="1"):
        world.wait_for_rows("order_book", 2)
        world.exchange.fault("invalid_symbol", symbol="ETHUSDT")
        world.wait_until_logged("symbol_left_out")
        book = world.value("SELECT last_update_id FROM order_book WHERE symbol = 'BTCUSDT'")
        newer = "SELECT last_update_id > %s FROM order_book WHERE symbol = 'BTCUSDT'"
        wait_until(lambda: world.value(newer, book), 30, "a newer book of the other symbol")
        world.exchange.clear()
        world.wait_until_logged("symbol_tracked_again")
        until_ms = now_ms()
        world.wait_for_trades("ETHUSDT", until_ms)
    assert truth.trades(world, ["ETHUSDT"], since_ms, until_ms).wrong == []
    assert [line["symbol"] for line in world.logged("symbol_left_out")] == ["ETHUSDT"]


def test_new_symbol_joins_the_market_and_a_halted_one_leaves_it(world: World) -> None:
    with world.running(LISTING_INTERVAL_SECONDS="0.5"):
        world.wait_for_rows("latest_prices", 12)
        quiet = world.value("SELECT min(symbol) FROM latest_prices WHERE symbol NOT IN ('BTCUSDT', 'ETHUSDT')")
        world.exchange.fault("new_symbol", symbol=NEW)
        world.exchange.fault("symbol_status", symbol=quiet)
        priced = "SELECT count(*) > 0 FROM latest_prices WHERE symbol = %s"
        wait_until(lambda: world.value(priced, NEW), 30, f"a price of {NEW}")

        def changes() -> object:
            found = {symbol for line in world.logged("symbols_changed") for symbol in (line["added"], line["removed"])}
            return found >= {NEW, quiet} or found

        wait_until(changes, 30, "both changes in the log")


def test_symbol_that_is_listed_later_is_tracked_from_then_on(world: World) -> None:
    with world.running(SYMBOLS=f"BTCUSDT,{NEW}", LISTING_INTERVAL_SECONDS="0.5"):
        world.wait_until_logged("symbol_left_out")
        world.exchange.fault("new_symbol", symbol=NEW)
        world.wait_until_logged("symbol_tracked_again")
        wait_until(lambda: world.value("SELECT count(*) FROM order_book") == 2, 30, "its order book")
