"""Candles: open ones move, closed ones are final and as the market made them."""

from pipeline.times import now_ms
from tests.support.producer_faults import truth
from tests.support.producer_faults.clocked_exchange import MINUTE_MS, clock_near_the_end_of_a_minute, served
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

BTC = "BTCUSDT"
NEWEST_OPEN = "SELECT number_of_trades FROM klines WHERE NOT is_closed ORDER BY open_time DESC LIMIT 1"


def test_open_candle_moves_closes_once_and_never_reopens(world: World) -> None:
    """The exchange's clock is ahead of ours, so that a minute ends in two seconds."""
    clock_ms = clock_near_the_end_of_a_minute(seconds_before=2)
    ends_ms = clock_ms() // MINUTE_MS * MINUTE_MS + MINUTE_MS
    with served(world.exchange.market, clock_ms) as url, world.running(SYMBOLS=BTC, BINANCE_BASE_URL=url):
        states = set()

        def seen_closing() -> object:
            rows = world.rows(
                "SELECT is_closed, number_of_trades FROM klines WHERE close_time < to_timestamp(%s) "
                "ORDER BY open_time DESC LIMIT 1",
                ends_ms / 1000,
            )
            states.update(rows)
            followed = world.value("SELECT count(*) FROM klines WHERE open_time >= to_timestamp(%s)", ends_ms / 1000)
            return (bool(rows) and rows[0][0] and followed == 1) or (rows, followed)

        wait_until(seen_closing, 15, "the candle's close")
    assert len([state for state in states if not state[0]]) >= 2
    assert len([state for state in states if state[0]]) == 1
    assert truth.candles(world, [BTC], ["1m"], ends_ms).wrong == []
    assert truth.audit(world).wrong == []


def test_candles_of_an_outage_are_filled_in_with_several_pages(world: World) -> None:
    """Thirty hours are taken away, and the last candle before them is left as it was when the
    outage began: open."""
    minutes = 30 * 60
    with world.running(SYMBOLS=BTC, KLINES_BACKFILL="31h"):
        world.wait_for_rows("klines", minutes)
    world.rows(f"DELETE FROM klines WHERE open_time > now() - interval '{minutes} minutes'")
    world.rows(
        "UPDATE klines SET is_closed = false, number_of_trades = 1, close_price = 1 "
        "WHERE open_time = (SELECT max(open_time) FROM klines)"
    )
    world.rows("TRUNCATE audit")
    until_ms = now_ms()
    with world.running(SYMBOLS=BTC, KLINES_BACKFILL="0"):
        world.wait_until(f"SELECT count(*) FILTER (WHERE is_closed) >= {minutes} FROM klines")
        wait_until(lambda: world.value(NEWEST_OPEN) is not None, 10, "the open candle")
    assert truth.candles(world, [BTC], ["1m"], until_ms).wrong == []
    assert truth.audit(world).wrong == []
