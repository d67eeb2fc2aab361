"""One symbol whose replies are odd, among a market of hundreds: it is named and left out, the
others are stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from pipeline.times import now_ms
from tests.integration.producer.conftest import QUICK
from tests.support.producer_faults import truth
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

BTC, ETH, HAN = "BTCUSDT", "ETHUSDT", "币安人生USDT"
PRICE, STATS, DEPTH = "/api/v3/ticker/price", "/api/v3/ticker/24hr", "/api/v3/depth"
TRADES, KLINES = "/api/v3/aggTrades", "/api/v3/klines"
SYMBOLS = 400
BOOK = "SELECT last_update_id FROM order_book WHERE symbol = %s"


@pytest.fixture(scope="module")
def market(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("market")
    world = World(stack, folder, symbols=SYMBOLS, weight_limit=1_000_000, **{**QUICK, "STATS_INTERVAL_SECONDS": "3"})
    world.exchange.start()
    yield world
    world.close()


@pytest.fixture
def world(market: World, tmp_path: Path) -> Iterator[World]:
    market.log = tmp_path / "producer.log"
    market.empty()
    market.exchange.clear()
    yield market
    market.exchange.clear()
    market.end_producer()


def rejected(world: World) -> list[tuple[str, str]]:
    return sorted((line["kind"], line["symbol"]) for line in world.logged("row_rejected"))


def test_one_odd_symbol_of_four_hundred_is_named_counted_and_left_out(world: World) -> None:
    world.exchange.fault("odd_field", symbol=ETH, field="price", value=None, paths=[PRICE])
    world.exchange.fault("odd_field", symbol=ETH, field="openTime", value=0, paths=[STATS])
    world.exchange.fault("odd_field", symbol=ETH, field="bids", value=[["-1", "1E+999"]], paths=[DEPTH])
    world.exchange.fault("odd_field", symbol=ETH, field="q", value="abc", which="first", paths=[TRADES])
    world.exchange.fault("odd_field", symbol=ETH, field=4, value="NaN", which="last", paths=[KLINES])
    with world.running() as producer:
        for table in ("latest_prices", "crypto_24h_stats"):
            world.wait_for_rows(table, SYMBOLS - 1)
            assert world.value(f"SELECT count(*) FROM {table}") == SYMBOLS - 1
        world.wait_for_trades(BTC, now_ms())
        kinds = ["klines", "order_book", "stats", "tracked_price", "trades"]
        wait_until(lambda: rejected(world) == [(kind, ETH) for kind in kinds] or rejected(world), 30, "five names")
        for kind in kinds:
            assert producer.metric("producer_rejected_rows_total", kind=kind) > 0
        assert world.rows("SELECT DISTINCT symbol FROM order_book") == [(BTC,)]
        assert world.value("SELECT count(*) FROM klines WHERE symbol = %s", ETH) >= 59
        world.exchange.clear()
        world.wait_until("SELECT count(*) = 2 FROM order_book")
        world.wait_until(f"SELECT count(*) = {SYMBOLS} FROM latest_prices")
        world.wait_until_logged("row_accepted_again", times=5)
        until_ms = now_ms()
        for symbol in (BTC, ETH):
            world.wait_for_trades(symbol, until_ms)
    assert len(rejected(world)) == 5
    assert world.logged("trade_gap") == []
    assert truth.trades(world, [BTC], until_ms - 30_000, until_ms).wrong == []
    assert truth.candles(world, [BTC, ETH], ["1m"], until_ms - 60_000).wrong == []


def test_trades_of_nothing_are_left_out_and_counted(world: World) -> None:
    with world.running(SYMBOLS=BTC) as producer:
        world.wait_for_trades(BTC, now_ms())
        world.exchange.fault("odd_field", symbol=BTC, field="q", value="0.00000000", which="first", paths=[TRADES])
        wait_until(
            lambda: producer.metric("producer_rejected_rows_total", kind="trades") >= 3 or world.output()[-500:],
            30,
            "three trades of nothing",
        )
        world.exchange.clear()
        world.wait_for_trades(BTC, now_ms())
    assert world.value("SELECT count(*) FROM recent_trades WHERE price = 0 OR quantity = 0") == 0
    assert (world.logged("row_rejected"), world.logged("trade_gap")) == ([], [])


def test_book_ids_that_began_again_are_followed_and_one_stale_book_is_not(world: World) -> None:
    with world.running(SYMBOLS=BTC) as producer:
        world.wait_for_rows("order_book")
        newest = world.value(BOOK, BTC)
        world.exchange.fault("odd_field", symbol=BTC, field="lastUpdateId", value=12, count=1, paths=[DEPTH])
        world.wait_until(f"SELECT last_update_id > {newest} FROM order_book")
        assert world.logged("book_ids_restarted") == []
        world.exchange.fault("odd_field", symbol=BTC, field="lastUpdateId", value=13, paths=[DEPTH])
        world.wait_until("SELECT last_update_id = 13 FROM order_book")
        assert producer.metric("producer_book_ids_restarted_total", symbol=BTC) == 1
    (line,) = world.logged("book_ids_restarted")
    assert (line["symbol"], line["new_id"]) == (BTC, "13")
    assert int(line["last_id"]) >= newest
    found = truth.audit(world).wrong
    assert len(found) == 1, found  # the restart alone


def test_book_ids_that_began_again_while_the_producer_was_stopped_are_followed(world: World) -> None:
    world.rows("INSERT INTO order_book VALUES (%s, %s, '[]', '[]')", BTC, 10**15)
    with world.running(SYMBOLS=BTC):
        world.wait_until(f"SELECT last_update_id < {10**15} FROM order_book")
        world.wait_until_logged("book_ids_restarted")


def test_symbol_of_another_script_is_stored_in_every_table(world: World) -> None:
    world.exchange.fault("new_symbol", symbol=HAN)
    with world.running(SYMBOLS=f"{BTC},{HAN}"):
        for table in ("latest_prices", "crypto_24h_stats", "order_book", "recent_trades", "klines"):
            world.wait_until(f"SELECT count(*) > 0 FROM {table} WHERE symbol = %s", HAN)
