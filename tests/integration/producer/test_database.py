"""PostgreSQL: what is never overwritten, what is never written, and what happens while it is
unavailable."""

from pathlib import Path

from local.ports import free_ports
from pipeline.schema import apply_postgres
from pipeline.settings import load
from pipeline.times import DAY_MS, now_ms
from tests.support.producer_faults import truth
from tests.support.producer_faults.world import World
from tests.support.program import ROOT, Program
from tests.support.waiting import wait_until

BTC = "BTCUSDT"
# Three positions and what the server itself writes at times; 3,000 rows that are locked write
# 160,000 or more.
WAL_OF_POSITIONS_BYTES = 30_000


def test_book_that_is_older_than_the_stored_one_is_not_written(world: World) -> None:
    with world.running(SYMBOLS=BTC):
        world.wait_for_rows("order_book")
        world.rows("UPDATE order_book SET last_update_id = %s", 10**15)
        asked = world.exchange.calls("/api/v3/depth")
        wait_until(lambda: world.exchange.calls("/api/v3/depth") >= asked + 4, 30, "four more polls")
        assert world.value("SELECT last_update_id FROM order_book") == 10**15
    assert truth.audit(world).wrong == []


def test_producer_waits_for_a_killed_postgresql_and_nothing_is_missing_afterwards(world: World) -> None:
    since_ms = now_ms() - 50_000
    with world.running():
        world.wait_for_trades(BTC, now_ms())
        world.kill_postgres()
        world.wait_until_logged("postgres_unavailable")
        world.start_postgres()
        world.wait_until_logged("postgres_recovered")
        until_ms = now_ms()
        world.wait_for_trades(BTC, until_ms)
    assert truth.trades(world, [BTC], since_ms, until_ms).wrong == []
    assert len(world.logged("postgres_unavailable")) == 1


def test_rows_that_did_not_change_cause_no_wal(world: World, tmp_path: Path) -> None:
    """A recording that has ended, read by a producer that has lost its positions: every row is
    stored already."""
    port, begin_ms = free_ports(1)[0], now_ms() // DAY_MS * DAY_MS - 4 * DAY_MS
    recorded = str(ROOT / "examples" / "replay")
    command = ["-m", "simulator", "--port", str(port), "--replay", recorded, "--replay-start", str(begin_ms)]
    settings = {
        "BINANCE_BASE_URL": f"http://127.0.0.1:{port}",
        "SYMBOLS": "ALGOUSDT,AVAXUSDT,XRPETH,NKNUSDT",
        "KLINES_BACKFILL": "7d",
        "TRADES_BACKFILL": "7d",
        "TRADES_RETENTION_DAYS": "9",
    }
    with Program([*command, "--weight-limit", "1000000"], dict(world.stack.environ), tmp_path / "replay.log"):
        with world.running(**settings):
            world.wait_for_rows("klines", 5760)
            world.wait_for_rows("recent_trades", 3000)
            world.wait_for_rows("order_book")
            world.wait_for_rows("crypto_24h_stats", 3)
        world.rows("TRUNCATE trade_positions")
        before = world.value("SELECT pg_current_wal_insert_lsn()")
        with world.running(**settings) as producer:
            wait_until(
                lambda: producer.metric("producer_rows_unchanged_total") > 3050 or world.output()[-500:],
                60,
                "3,000 trades and some polls of everything again",
            )
            assert producer.metric("producer_rows_changed_total") == 0
            wrote_bytes = world.value("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", before)
    assert wrote_bytes < WAL_OF_POSITIONS_BYTES


def test_ban_of_an_older_schema_is_kept_with_its_grants_when_the_schema_is_applied(world: World) -> None:
    """Applied twice: the second time changes nothing."""
    world.rows("ALTER TABLE exchange_ban RENAME COLUMN banned_until TO silent_until")
    world.rows("ALTER TABLE exchange_ban RENAME TO exchange_silence")
    world.rows("INSERT INTO exchange_silence VALUES ('http://x', '2100-01-01')")
    for _ in range(2):
        apply_postgres(load("schema", environ=world.stack.environ, dotenv="/dev/null"), wait_seconds=10)
        assert world.rows("SELECT base_url, banned_until::date::text FROM exchange_ban") == [("http://x", "2100-01-01")]
    assert world.value("SELECT to_regclass('exchange_silence') IS NULL")
    for right in ("SELECT", "INSERT", "UPDATE"):
        assert world.value("SELECT has_table_privilege('crypto_producer', 'exchange_ban', %s)", right)
    assert not world.value("SELECT has_table_privilege('crypto_producer', 'exchange_ban', 'DELETE')")
