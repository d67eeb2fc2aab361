"""Which jobs there are: from the settings, what the exchange lists and what is stored already."""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline.producer import metrics, plan
from pipeline.producer.batch import Batch
from pipeline.producer.candles import KlinesJob, first_start_ms
from pipeline.producer.client import Exchange
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.data_source_check import check
from pipeline.producer.database import Database
from pipeline.producer.jobs import BookIds, BookJob, Fetched, Job, PricesJob, StatsJob, TrackedPricesJob, depth_weight
from pipeline.producer.listing import WEIGHT, Listing, ListingJob
from pipeline.producer.plan import Pace
from pipeline.producer.schedule import Schedule
from pipeline.producer.symbol_changes import SymbolChanges
from pipeline.producer.trades import TradesJob
from pipeline.settings import Settings
from pipeline.stopping import Stop
from pipeline.tables import BOOKS, INSTRUMENTS, KLINES, PRICES, STATS, TRADES
from pipeline.times import datetime_to_ms

log = logging.getLogger(__name__)

# A new plan is made when the weight left by others changes by this share of our budget.
REPLAN_SHARE = 0.05
SETTING_OF_KIND = {
    "price": PRICES.poll_setting,
    "tracked_price": "TRACKED_PRICE_INTERVAL_SECONDS",
    "stats": STATS.poll_setting,
    "order_book": BOOKS.poll_setting,
    "trades": TRADES.poll_setting,
    "klines": KLINES.poll_setting,
}


class Positions(NamedTuple):
    """Up to where rows are stored: last trade id per symbol, open time per symbol and interval, id
    of the order book per symbol."""

    trades: dict[str, int]
    klines: dict[tuple[str, str], datetime]
    books: dict[str, int]


class JobSet:
    """Starts with the listing alone; every listing that arrives rebuilds the set. Jobs that remain
    keep their state. `schedule` holds the current jobs; only this class replaces them."""

    def __init__(
        self,
        settings: Settings,
        exchange: Exchange,
        exchange_clock: ExchangeClock,
        database: Database,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.schedule = Schedule(clock)
        self._settings = settings
        self._exchange = exchange
        self._exchange_clock = exchange_clock
        self._budget = exchange.budget
        self._database = database
        self._listing_job = ListingJob(clock=exchange_clock)
        self._prices_job = PricesJob()
        self._tracked_prices_job = TrackedPricesJob()
        self._stats_job = StatsJob()
        listing_seconds = settings.LISTING_INTERVAL_SECONDS
        self._listing_pace = Pace("listing", 1, WEIGHT, listing_seconds, listing_seconds)
        self._jobs: dict[str, Job] = {}
        self._symbol_changes = SymbolChanges()
        self._source = ""
        self._logged_plan: list[str] = []
        self._planned_with = 0.0
        self.schedule.replace([self._listing_job], {"listing": self._listing_pace})

    def committed(self, job: Job, fetched: Fetched, stop: Stop) -> None:
        """Call it for every committed result. A listing rebuilds the set; if other programs on this
        address now use much more or much less weight, the paces change."""
        if job is self._listing_job:
            self._rebuild(fetched.state, stop)
            return
        if job.symbol is not None and self._jobs.get(job.name) is job:
            self._symbol_changes.succeeded(job.symbol)
        if abs(self._budget.available_per_minute() - self._planned_with) > self._budget.per_minute * REPLAN_SHARE:
            self._apply(self._jobs.values())

    def leave_out(self, job: Job) -> bool:
        """The exchange refused the job's symbol: remove all jobs of this symbol until the next
        listing. Returns False, and changes nothing, if the job asks for no particular symbol."""
        if job.symbol is None:
            return False
        self._symbol_changes.leave_out([job.symbol])
        self._apply(kept for kept in self._jobs.values() if kept.symbol != job.symbol)
        return True

    def _rebuild(self, listing: Listing, stop: Stop) -> None:
        settings = self._settings
        self._budget.limit_per_minute = listing.weight_limit_per_minute
        tracked = listing.known(settings.SYMBOLS)
        self._symbol_changes.leave_out(symbol for symbol in settings.SYMBOLS if symbol not in tracked)
        market = listing.market(settings.QUOTE_ASSET)
        self._symbol_changes.market(market)
        wanted = market | frozenset(tracked)
        self._stats_job.wanted = wanted
        self._prices_job.wanted, self._tracked_prices_job.wanted = wanted - set(tracked), frozenset(tracked)
        jobs: list[Job] = [self._prices_job, self._stats_job, *([self._tracked_prices_job] if tracked else [])]
        has_new = any(f"trades:{symbol}" not in self._jobs for symbol in tracked)
        stored = self._stored(stop) if has_new else Positions({}, {}, {})
        jobs += [self._jobs.get(f"order_book:{symbol}") or self._book(symbol, stored) for symbol in tracked]
        for symbol in tracked:
            jobs.append(self._jobs.get(f"trades:{symbol}") or self._trades(symbol, stored))
            for interval in settings.KLINE_INTERVALS:
                jobs.append(self._jobs.get(f"klines:{symbol}:{interval}") or self._klines(symbol, interval, stored))
        self._name_source(len(market), len(tracked), stop)
        instruments = Batch(INSTRUMENTS, listing.instruments_of(settings.QUOTE_ASSET, tracked))
        self._database.run(lambda session: session.upserts.write([instruments]), stop)
        self._apply(jobs)

    def _apply(self, jobs: Iterable[Job]) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._planned_with = self._budget.available_per_minute()
        paces = {**self._paces(), "listing": self._listing_pace}
        self.schedule.replace([self._listing_job, *self._jobs.values()], paces)
        self._log_plan(plan.lines(paces, self._planned_with, self._budget.limit_per_minute))
        metrics.WEIGHT_LIMIT.set(self._budget.limit_per_minute)
        metrics.WEIGHT_BUDGET.set(self._budget.per_minute)

    def _log_plan(self, lines: list[str]) -> None:
        """Only the lines that changed; the last one is the total."""
        for line in lines:
            if line not in self._logged_plan:
                log.info("plan", extra={"requests": line})
        self._logged_plan = lines

    def _paces(self) -> dict[str, Pace]:
        wished = []
        for kind, setting in SETTING_OF_KIND.items():
            seconds = getattr(self._settings, setting)
            weights = [job.weight for job in self._jobs.values() if job.kind == kind]
            if weights:
                wished.append(Pace(kind, len(weights), weights[0], seconds, seconds))
        return plan.plan(wished, self._planned_with)

    def _book(self, symbol: str, stored: Positions) -> BookJob:
        levels, ids = self._settings.ORDER_BOOK_LEVELS, BookIds(stored.books.get(symbol))
        return BookJob(name=f"order_book:{symbol}", weight=depth_weight(levels), symbol=symbol, levels=levels, ids=ids)

    def _trades(self, symbol: str, stored: Positions) -> TradesJob:
        start_ms = self._exchange_clock.surely_past_ms() - int(self._settings.TRADES_BACKFILL * 1000)
        return TradesJob(name=f"trades:{symbol}", symbol=symbol, start_ms=start_ms, last_id=stored.trades.get(symbol))

    def _klines(self, symbol: str, interval: str, stored: Positions) -> KlinesJob:
        position = stored.klines.get((symbol, interval))
        if position is not None:
            from_ms = datetime_to_ms(position)
        else:
            now_ms = self._exchange_clock.surely_past_ms()
            from_ms = first_start_ms(interval, self._settings.KLINES_BACKFILL, now_ms)
        return KlinesJob(
            name=f"klines:{symbol}:{interval}",
            symbol=symbol,
            interval=interval,
            from_ms=from_ms,
            clock=self._exchange_clock,
        )

    def _stored(self, stop: Stop) -> Positions:
        read = self._database.run(
            lambda session: Positions(
                session.state.trade_positions(), session.state.kline_positions(), session.state.book_positions()
            ),
            stop,
        )
        return read or Positions({}, {}, {})  # nothing was read because of a stop: no job will start

    def _name_source(self, symbols: int, tracked: int, stop: Stop) -> None:
        """The simulator names itself in a header; the real exchange does not and is named by its
        host. Before any row of it is stored. Raises OtherDataSource."""
        base_url = self._exchange.base_url
        name = self._exchange.data_source or f"live: {urlsplit(base_url).hostname}"
        check(self._database.run(lambda session: session.state.source(), stop), name)
        if name != self._source:
            log.info("exchange", extra={"url": base_url, "source": name, "symbols": symbols, "tracked": tracked})
        self._source = name
        self._database.run(lambda session: session.state.name_source(name, base_url), stop)
