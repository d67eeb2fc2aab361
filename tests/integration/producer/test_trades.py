"""Every trade is stored once, whatever happens to the producer; compared with the market itself."""

from pipeline.times import now_ms
from tests.support.producer_faults import truth
from tests.support.producer_faults.world import World

BTC = "BTCUSDT"
TRADES_AHEAD = 20


def test_producer_that_is_far_behind_fetches_page_after_page(world: World) -> None:
    began_ms = now_ms()
    with world.running(SYMBOLS=BTC, TRADES_BACKFILL="30m"):
        world.wait_for_trades(BTC, began_ms)
    found = truth.trades(world, [BTC], began_ms - 29 * 60_000, began_ms)
    assert (found.wrong, found.compared > 3000) == ([], True)
    assert world.exchange.calls("/api/v3/aggTrades") >= 4


def test_killed_producer_continues_without_a_gap_or_a_duplicate(world: World) -> None:
    since_ms = now_ms() - 50_000
    for _ in range(2):
        world.start_producer()
        world.wait_for_trades(BTC, now_ms())
        world.producer.kill()
    with world.running():
        until_ms = now_ms()
        world.wait_for_trades(BTC, until_ms)
    found = truth.trades(world, [BTC], since_ms, until_ms)
    assert (found.wrong, found.compared > 50) == ([], True)


def test_gap_in_the_exchanges_ids_is_logged_and_counted_and_nothing_else_is_missing(world: World) -> None:
    since_ms = now_ms() - 50_000
    with world.running(SYMBOLS=BTC) as producer:
        world.wait_for_trades(BTC, now_ms())
        # So far ahead that the fault is on before the exchange makes these trades.
        first = world.exchange.newest_id(BTC, now_ms()) + TRADES_AHEAD
        world.exchange.fault("id_gap", symbol=BTC, from_id=first, to_id=first + 1)
        world.wait_until_logged("trade_gap")
        until_ms = now_ms()
        world.wait_for_trades(BTC, until_ms)
        assert producer.metric("producer_trade_gaps_total", symbol=BTC) == 1
        assert producer.metric("producer_trades_missing_total", symbol=BTC) == 2
    found = truth.trades(world, [BTC], since_ms, until_ms, {(BTC, first), (BTC, first + 1)})
    assert (found.wrong, found.gaps) == ([], 2)
    assert [(line["first_missing_id"], line["last_missing_id"]) for line in world.logged("trade_gap")] == [
        (str(first), str(first + 1))
    ]


def test_ids_that_start_again_are_logged_and_followed(world: World) -> None:
    """As after a symbol was listed again: the exchange's newest id is below the one that is
    stored."""
    world.rows("INSERT INTO trade_positions (symbol, last_trade_id) VALUES (%s, %s)", BTC, 10**15)
    with world.running(SYMBOLS=BTC):
        world.wait_until_logged("trade_ids_restarted")
        world.wait_for_rows("recent_trades")
        until_ms = now_ms()
        world.wait_for_rows("trade_positions")
        world.wait_until(
            "SELECT last_trade_id BETWEEN %s AND %s FROM trade_positions",
            world.exchange.newest_id(BTC, until_ms),
            10**14,
        )
    assert truth.trades(world, [BTC], until_ms - 50_000, until_ms).wrong == []
