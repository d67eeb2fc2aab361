import logging
from types import SimpleNamespace

import pytest

from pipeline.producer.budget import Budget
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.data_source_check import OtherDataSource
from pipeline.producer.jobs import Fetched
from pipeline.producer.jobset import JobSet
from pipeline.producer.listing import Listing
from pipeline.settings import load
from pipeline.times import datetime_to_ms, ms_to_datetime
from tests.unit.support.clocks import FakeStop


class FakeDatabase:
    """Answers the reads of positions and records which source is named."""

    def __init__(self):
        self.trades = {}
        self.klines = {}
        self.books = {}
        self.named = None
        self.reads = 0
        self.written = []

    def run(self, action, stop):
        return action(SimpleNamespace(state=self, upserts=self))

    def trade_positions(self):
        self.reads += 1
        return self.trades

    def kline_positions(self):
        return self.klines

    def book_positions(self):
        return self.books

    def source(self):
        return self.named and self.named[0]

    def write(self, batches):
        self.written += [(batch.table.name, [row["symbol"] for row in batch.rows], self.named) for batch in batches]

    def name_source(self, name, base_url):
        self.named = (name, base_url)


class World:
    def __init__(self, clock, **environ):
        self.settings = load("producer", {"SYMBOLS": "ETHUSDT,BTCUSDT", "KLINE_INTERVALS": "1m,1h", **environ}, "/none")
        self.budget = Budget(50, clock)
        self.database = FakeDatabase()
        self.exchange = SimpleNamespace(data_source="", base_url="https://data-api.binance.vision", budget=self.budget)
        self.jobs = JobSet(self.settings, self.exchange, ExchangeClock(), self.database, clock)

    def entries(self):
        return self.jobs.schedule.entries

    def job(self, name):
        return self.entries()[name].job

    def committed(self, name, fetched=None):
        self.jobs.committed(self.job(name), fetched or Fetched(), FakeStop())

    def listed(self, *symbols, limit=6000, status="TRADING"):
        instruments = {symbol: {"symbol": symbol, "quote_asset": "USDT"} for symbol in symbols}
        found = Listing(dict.fromkeys(symbols, ("USDT", status)), limit, instruments)
        self.committed("listing", Fetched(state=found))


@pytest.fixture
def world(clock):
    return World(clock)


def jobs_of(symbol):
    return {f"order_book:{symbol}", f"trades:{symbol}", f"klines:{symbol}:1m", f"klines:{symbol}:1h"}


def test_listing_is_requested_first_and_alone(world):
    assert set(world.entries()) == {"listing"}


def test_listing_makes_the_jobs_of_every_tracked_symbol(world):
    world.listed("ETHUSDT", "BTCUSDT", "XRPUSDT")
    tracked = {*jobs_of("ETHUSDT"), *jobs_of("BTCUSDT")}
    assert set(world.entries()) == {"listing", "price", "tracked_price", "stats", *tracked}
    assert world.job("stats").wanted == {"ETHUSDT", "BTCUSDT", "XRPUSDT"}


def test_price_is_written_by_one_job_only(world):
    world.listed("ETHUSDT", "BTCUSDT", "XRPUSDT")
    assert world.job("price").wanted == {"XRPUSDT"}
    assert world.job("tracked_price").wanted == {"ETHUSDT", "BTCUSDT"}


def test_without_a_listed_symbol_no_tracked_prices_are_requested(world):
    world.listed("XRPUSDT")
    assert set(world.entries()) == {"listing", "price", "stats"}


def test_instruments_are_written_with_every_listing_and_only_once_the_source_is_known(world):
    world.listed("ETHUSDT", "BTCUSDT")
    world.listed("ETHUSDT", status="HALT")
    source = ("live: data-api.binance.vision", "https://data-api.binance.vision")
    assert world.database.written == [
        ("instruments", ["ETHUSDT", "BTCUSDT"], source),
        ("instruments", ["ETHUSDT"], source),
    ]


def test_result_of_another_job_changes_nothing(world):
    world.listed("ETHUSDT", "BTCUSDT")
    before = world.entries()
    world.committed("price")
    assert world.entries() == before


def test_symbol_that_is_not_listed_is_left_out_and_logged_once(world, caplog):
    world.listed("ETHUSDT")
    world.listed("ETHUSDT")
    assert not jobs_of("BTCUSDT") & set(world.entries())
    logged = [record for record in caplog.records if record.getMessage() == "symbol_left_out"]
    assert [(record.levelno, record.symbol) for record in logged] == [(logging.ERROR, "BTCUSDT")]


def test_new_symbol_is_followed_as_soon_as_it_is_listed(world):
    world.listed("ETHUSDT")
    world.listed("ETHUSDT", "BTCUSDT", "NEWUSDT")
    assert jobs_of("BTCUSDT") <= set(world.entries())
    assert "NEWUSDT" in world.job("price").wanted


def test_delisted_symbol_is_no_longer_requested(world):
    world.listed("ETHUSDT", "BTCUSDT")
    world.listed("ETHUSDT")
    assert not jobs_of("BTCUSDT") & set(world.entries())
    assert "BTCUSDT" not in world.job("price").wanted


def test_job_that_stays_keeps_its_state_over_a_new_listing(world):
    world.listed("ETHUSDT", "BTCUSDT")
    trades = world.job("trades:ETHUSDT")
    trades.last_id = 77
    world.listed("ETHUSDT", "BTCUSDT")
    assert world.job("trades:ETHUSDT") is trades
    assert world.database.reads == 1


def test_symbol_that_is_listed_again_resumes_from_what_is_stored(world):
    world.listed("ETHUSDT", "BTCUSDT")
    world.listed("ETHUSDT")
    world.database.trades = {"BTCUSDT": 4711}
    world.listed("ETHUSDT", "BTCUSDT")
    assert world.job("trades:BTCUSDT").last_id == 4711


def test_jobs_resume_from_the_stored_positions(world):
    world.database.trades = {"ETHUSDT": 881}
    opened = ms_to_datetime(1_725_321_600_000)
    world.database.klines = {("ETHUSDT", "1m"): opened}
    world.listed("ETHUSDT", "BTCUSDT")
    assert world.job("trades:ETHUSDT").last_id == 881
    assert world.job("trades:BTCUSDT").last_id is None
    assert world.job("klines:ETHUSDT:1m").from_ms == datetime_to_ms(opened)
    assert world.job("klines:ETHUSDT:1h").from_ms > datetime_to_ms(opened)


def test_first_start_reaches_back_as_far_as_the_settings_say(clock):
    world = World(clock, TRADES_BACKFILL="10m", KLINES_BACKFILL="1d")
    world.listed("ETHUSDT", "BTCUSDT")
    trades, klines = world.job("trades:ETHUSDT"), world.job("klines:ETHUSDT:1m")
    assert trades.start_ms - klines.from_ms == pytest.approx((86_400 - 600) * 1000, abs=1000)


def test_symbol_that_the_exchange_refuses_is_left_out_alone(world, caplog):
    world.listed("ETHUSDT", "BTCUSDT")
    assert world.jobs.leave_out(world.job("trades:BTCUSDT"))
    assert not jobs_of("BTCUSDT") & set(world.entries())
    assert {"listing", "price", "tracked_price", "stats", *jobs_of("ETHUSDT")} == set(world.entries())
    assert [record.symbol for record in caplog.records if record.getMessage() == "symbol_left_out"] == ["BTCUSDT"]


def test_refused_symbol_is_tried_again_after_the_next_listing(world):
    world.listed("ETHUSDT", "BTCUSDT")
    assert world.jobs.leave_out(world.job("trades:BTCUSDT"))
    world.listed("ETHUSDT", "BTCUSDT")
    assert jobs_of("BTCUSDT") <= set(world.entries())


def test_request_without_a_symbol_leaves_nothing_out(world, caplog):
    world.listed("ETHUSDT", "BTCUSDT")
    before = set(world.entries())
    assert not world.jobs.leave_out(world.job("price"))
    assert set(world.entries()) == before
    assert [record for record in caplog.records if record.getMessage() == "symbol_left_out"] == []


def test_limit_of_the_exchange_becomes_the_budgets(world):
    world.listed("ETHUSDT", "BTCUSDT", limit=1200)
    assert world.budget.limit_per_minute == 1200
    assert world.budget.per_minute == 600


def test_jobs_are_slowed_to_the_weight_that_may_be_spent(world):
    world.listed("ETHUSDT", "BTCUSDT", limit=1200)
    entries = world.entries().values()
    spent = sum(entry.job.weight * 60 / entry.every_seconds for entry in entries if entry.job.kind != "listing")
    assert spent <= 600
    assert world.entries()["stats"].every_seconds > world.settings.STATS_INTERVAL_SECONDS
    assert world.entries()["trades:ETHUSDT"].every_seconds == world.settings.TRADES_INTERVAL_SECONDS


def test_plan_is_logged_once_and_again_when_it_changed(world, caplog):
    caplog.set_level(logging.INFO, "pipeline")
    world.listed("ETHUSDT", "BTCUSDT")
    first = [record for record in caplog.records if record.getMessage() == "plan"]
    world.listed("ETHUSDT", "BTCUSDT")
    assert [record for record in caplog.records if record.getMessage() == "plan"] == first
    assert len(first) == 8
    world.listed("ETHUSDT")
    changed = [record.requests for record in caplog.records if record.getMessage() == "plan"][8:]
    assert [line.split()[0] for line in changed] == ["order_book", "trades", "klines", "total"]


def test_other_programs_on_this_address_slow_the_plan_and_their_end_restores_it(world, clock):
    world.listed("ETHUSDT", "BTCUSDT")
    wished = world.settings.STATS_INTERVAL_SECONDS
    assert world.entries()["stats"].every_seconds == wished
    world.budget.report(4500)
    world.committed("price")
    assert world.entries()["stats"].every_seconds > wished
    clock.now += 120
    world.committed("price")
    assert world.entries()["stats"].every_seconds == wished


def test_symbol_whose_requests_succeed_again_is_logged(world, caplog):
    caplog.set_level(logging.INFO, "pipeline")
    world.listed("ETHUSDT")
    world.listed("ETHUSDT", "BTCUSDT")
    for _ in range(2):
        world.committed("trades:BTCUSDT")
    assert [record.symbol for record in caplog.records if record.getMessage() == "symbol_tracked_again"] == ["BTCUSDT"]


def test_symbols_added_to_the_market_and_removed_from_it_are_logged(world, caplog):
    caplog.set_level(logging.INFO, "pipeline")
    world.listed("ETHUSDT", "BTCUSDT")
    world.listed("ETHUSDT", "BTCUSDT")
    world.listed("ETHUSDT", "NEWUSDT")
    (logged,) = [record for record in caplog.records if record.getMessage() == "symbols_changed"]
    assert (logged.added, logged.removed) == ("NEWUSDT", "BTCUSDT")


def test_real_exchange_is_named_by_its_host(world):
    world.listed("ETHUSDT")
    assert world.database.named == ("live: data-api.binance.vision", "https://data-api.binance.vision")


def test_simulator_is_named_by_itself(world):
    world.exchange.data_source = "simulator: random market, seed 7"
    world.listed("ETHUSDT")
    assert world.database.named[0] == "simulator: random market, seed 7"


@pytest.mark.parametrize(
    ("stored", "source"),
    [("live: data-api.binance.vision", "simulator: random market, seed 7"), ("simulator: random market, seed 7", "")],
)
def test_no_job_starts_if_the_rows_of_the_other_kind_of_exchange_are_stored(world, stored, source):
    world.database.named = (stored, "https://x")
    world.exchange.data_source = source
    with pytest.raises(OtherDataSource):
        world.listed("ETHUSDT")
    assert set(world.entries()) == {"listing"}
    assert world.database.named == (stored, "https://x")


def test_halted_symbol_that_is_tracked_stays_tracked(world):
    world.listed("ETHUSDT", "BTCUSDT", status="HALT")
    assert jobs_of("ETHUSDT") <= set(world.entries())
    assert "ETHUSDT" in world.job("tracked_price").wanted
