"""reconcile.py against the real chain, while 250 changes per second go on: what was broken behind
the pipeline's back is found, all of it and nothing else, and --repair makes it equal."""

import pytest

from tests.support.chain.chain_world import ChainWorld
from tests.support.reconcile.breakage import Breakage, reported
from tests.support.reconcile.quiet_rows import QuietRows
from tests.support.reconcile.run import Run, reconcile
from tests.support.waiting import wait_until

ROWS = QuietRows(trades=12_000, candles=3_000, forecasts=3_000, orders=3_000)
BROKEN = 500


@pytest.fixture(scope="module", autouse=True)
def _rows(world: ChainWorld) -> None:
    ROWS.fill(world)


def looked(run: Run) -> str:
    return f"{run.errors} {str(run.found)[:3000]}"


def test_equal_rows_are_equal_under_load(world: ChainWorld) -> None:
    with world.load("C900X", 1) as load, world.odd_load(1):
        load.more(500)
        run = reconcile(world, "--last", "1d")
    assert run.exit_code == 0, looked(run)
    assert run.found["equal"]
    assert run.found["rows"] >= ROWS.total
    tables = {each["table"] for each in run.found["tables"]}
    assert tables >= {"recent_trades", "klines", "forecasts", "quiet_orders", "market_now (price)", "odd_places"}


def test_every_broken_row_is_found_none_is_invented_and_repair_makes_them_equal(world: ChainWorld) -> None:
    with world.load("C901X", 2) as load, world.odd_load(2):
        load.more(300)
        breakage = Breakage(world, seed=3)
        breakage.break_rows(BROKEN)
        load.more(100)
        first = reconcile(world, "--last", "1d")
        assert first.exit_code == 1, looked(first)
        assert dict(reported(first.found["differences"])) == breakage.broken
        repaired = reconcile(world, "--last", "1d", "--repair")
        assert repaired.exit_code == 0, looked(repaired)
        assert repaired.found["repaired"] == len(breakage.broken)
        second = reconcile(world, "--last", "1d")
        assert (second.exit_code, second.found["differences"]) == (0, []), looked(second)
    wait_until(lambda: says_equal(world, "C90"), 60, "PostgreSQL's rows in Cassandra")


def test_a_repair_hides_no_later_change(world: ChainWorld) -> None:
    """Rows that change all the time are overwritten in Cassandra and repaired; in the end the
    stream's last change is there."""
    with world.load("C902X", 3) as load:
        load.more(200)
        for symbol in load.symbols:
            update = "UPDATE market_now SET price = -1.5 WHERE quote_asset = 'USDT' AND symbol = %s"
            world.cassandra_admin.execute(update, (symbol,))
            world.cassandra_admin.execute("DELETE FROM klines WHERE symbol = %s AND interval = '1m'", (symbol,))
        run = reconcile(world, "--from", "2025-12-31", "--tables", "market_now,klines", "--repair")
        assert run.exit_code == 0, looked(run)
        load.more(100)
    wait_until(lambda: says_equal(world, "C902"), 60, "PostgreSQL's rows in Cassandra")


def test_a_row_with_a_write_time_in_the_future_is_reported_as_not_repaired(world: ChainWorld) -> None:
    world.cassandra_admin.execute(
        "INSERT INTO quiet_orders (customer, order_id, quantity) VALUES ('customer 1', 1001, 99) USING TIMESTAMP %s",
        (4_000_000_000_000_000,),
    )
    run = reconcile(world, "--tables", "quiet_orders", "--repair")
    assert run.exit_code == 1
    (reason,) = run.found["unfixed"]
    assert "1 rows of quiet_orders" in reason
    assert "later than PostgreSQL's clock" in reason


def says_equal(world: ChainWorld, prefix: str) -> object:
    """The fault suite's own comparison, which knows nothing of reconcile.py."""
    found = world.compare(prefix)
    return not found.differences or found
