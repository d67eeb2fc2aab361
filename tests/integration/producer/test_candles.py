"""Candles: open ones change, closed ones are final and match the market."""

from pipeline.times import now_ms
from tests.support.producer_faults import truth
from tests.support.producer_faults.clocked_exchange import MINUTE_MS, clock_at_the_start_of_a_minute, served
from tests.support.producer_faults.world import World
from tests.support.waiting import wait_until

BTC = "BTCUSDT"
NEWEST_OPEN = "SELECT number_of_trades FROM klines WHERE NOT is_closed ORDER BY open_time DESC LIMIT 1"


def test_open_candle_moves_closes_once_and_never_reopens(world: World) -> None:
    """The exchange's clock is moved to the end of the minute once the open candle has been seen
    twice; the producer learns of it from the next listing."""
    clock_ms = clock_at_the_start_of_a_minute()
    opens_ms = clock_ms() // MINUTE_MS * MINUTE_MS
    ends_ms = opens_ms + MINUTE_MS
    states: set[tuple[bool, int]] = set()

    def states_when(closed: bool) -> int:
        states.update(
            world.rows(
                "SELECT is_closed, number_of_trades FROM klines WHERE open_time = to_timestamp(%s)", opens_ms / 1000
            )
        )
        return sum(is_closed == closed for is_closed, _ in states)

    def followed() -> int:
        return world.value("SELECT count(*) FROM klines WHERE open_time >= to_timestamp(%s)", ends_ms / 1000)

    settings = {"SYMBOLS": BTC, "LISTING_INTERVAL_SECONDS": "0.5"}
    with served(world.exchange.market, clock_ms) as url, world.running(BINANCE_BASE_URL=url, **settings):
        wait_until(lambda: states_when(closed=False) >= 2 or states, 50, "two states of the open candle")
        clock_ms.move_to(ends_ms)
        wait_until(lambda: states_when(closed=True) == 1 or states, 30, "the candle's close")
        wait_until(lambda: followed() == 1 or followed(), 30, "the next candle")
        states_when(closed=True)
    assert states_when(closed=False) >= 2
    assert states_when(closed=True) == 1
    assert truth.candles(world, [BTC], ["1m"], ends_ms).wrong == []
    assert truth.audit(world).wrong == []


def test_candles_of_an_outage_are_filled_in_with_several_pages(world: World) -> None:
    """Thirty hours are deleted, and the last candle before them is made as it was when the outage
    began: open."""
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
        wait_until(lambda: world.value(NEWEST_OPEN) is not None, 30, "the open candle")
    assert truth.candles(world, [BTC], ["1m"], until_ms).wrong == []
    assert truth.audit(world).wrong == []
