"""Which jobs there are: from the settings, what the exchange lists and what is stored already."""

import logging
from urllib.parse import urlsplit

from pipeline.producer import metrics, plan
from pipeline.producer.budget import Budget
from pipeline.producer.candles import KlinesJob, first_start_ms
from pipeline.producer.client import Exchange
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.database import Database
from pipeline.producer.jobs import BookJob, Fetched, Job, PricesJob, StatsJob, depth_weight
from pipeline.producer.listing import INTERVAL_SECONDS, WEIGHT, Listing, ListingJob
from pipeline.producer.plan import Pace
from pipeline.producer.schedule import Schedule
from pipeline.producer.symbol_changes import SymbolChanges
from pipeline.producer.trades import TradesJob
from pipeline.settings import Settings
from pipeline.stopping import Stop
from pipeline.times import datetime_to_ms

log = logging.getLogger(__name__)

# Others' use of the address changed by this share of our budget: time for another plan.
WORTH_A_PLAN = 0.05
LISTING_PACE = Pace("listing", 1, WEIGHT, INTERVAL_SECONDS, INTERVAL_SECONDS)


class JobSet:
    """Starts with the listing alone; every listing that comes makes the set anew. Jobs that stay
    keep their state."""

    def __init__(
        self,
        settings: Settings,
        schedule: Schedule,
        exchange: Exchange,
        budget: Budget,
        clock: ExchangeClock,
        database: Database,
        stop: Stop,
    ) -> None:
        self._settings = settings
        self._schedule = schedule
        self._exchange = exchange
        self._budget = budget
        self._database = database
        self._stop = stop
        self._clock = clock
        self._listing_job = ListingJob(clock=clock)
        self._jobs: dict[str, Job] = {}
        self._news = SymbolChanges()
        self._source = ""
        self._shown: list[str] = []
        self._planned_with = 0.0
        schedule.replace([self._listing_job], {"listing": LISTING_PACE})

    def fetched(self, job: Job, fetched: Fetched) -> None:
        """Told of every committed result. A listing makes the set anew; other programs on this
        address that use much more weight than they did, or much less, change the pace."""
        if job is self._listing_job:
            self._rebuild(fetched.state)
            return
        if self._jobs.get(job.name) is job:
            self._news.works(getattr(job, "symbol", None))
        if abs(self._budget.available_per_minute() - self._planned_with) > self._budget.per_minute * WORTH_A_PLAN:
            self._apply(list(self._jobs.values()))

    def unknown_symbol(self, job: Job) -> None:
        """The exchange refused a job's symbol: leave it out until the next listing."""
        symbol = getattr(job, "symbol", None)
        if symbol is not None:
            self._news.leave_out([symbol])
            self._apply([kept for kept in self._jobs.values() if getattr(kept, "symbol", None) != symbol])

    def _rebuild(self, listing: Listing) -> None:
        settings = self._settings
        self._budget.limit_per_minute = listing.weight_limit_per_minute
        tracked = listing.known(settings.SYMBOLS)
        self._news.leave_out(symbol for symbol in settings.SYMBOLS if symbol not in tracked)
        market = listing.market(settings.QUOTE_ASSET)
        self._news.market(market)
        wanted = market | frozenset(tracked)
        jobs: list[Job] = [PricesJob(wanted=wanted), StatsJob(wanted=wanted)]
        jobs += [self._kept(f"order_book:{symbol}") or self._book(symbol) for symbol in tracked]
        missing = [symbol for symbol in tracked if f"trades:{symbol}" not in self._jobs]
        stored = self._stored() if missing else ({}, {})
        for symbol in tracked:
            jobs.append(self._kept(f"trades:{symbol}") or self._trades(symbol, stored[0]))
            for interval in settings.KLINE_INTERVALS:
                jobs.append(self._kept(f"klines:{symbol}:{interval}") or self._klines(symbol, interval, stored[1]))
        self._name_source(len(market), len(tracked))
        self._apply(jobs)

    def _apply(self, jobs: list[Job]) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._planned_with = self._budget.available_per_minute()
        paces = {**self._paces(), "listing": LISTING_PACE}
        self._schedule.replace([self._listing_job, *jobs], paces)
        self._show(plan.lines(paces, self._planned_with, self._budget.limit_per_minute))
        metrics.WEIGHT_LIMIT.set(self._budget.limit_per_minute)
        metrics.WEIGHT_BUDGET.set(self._budget.per_minute)

    def _show(self, lines: list[str]) -> None:
        """Only the lines that changed; the last one is the sum."""
        for line in lines:
            if line not in self._shown:
                log.info("plan", extra={"requests": line})
        self._shown = lines

    def _paces(self) -> dict[str, Pace]:
        settings = self._settings
        seconds = {
            "price": settings.PRICE_INTERVAL_SECONDS,
            "stats": settings.STATS_INTERVAL_SECONDS,
            "order_book": settings.ORDER_BOOK_INTERVAL_SECONDS,
            "trades": settings.TRADES_INTERVAL_SECONDS,
            "klines": settings.KLINES_INTERVAL_SECONDS,
        }
        wished = []
        for kind, every in seconds.items():
            weights = [job.weight for job in self._jobs.values() if job.kind == kind]
            if weights:
                wished.append(Pace(kind, len(weights), weights[0], every, every))
        return plan.plan(wished, self._planned_with)

    def _kept(self, name: str) -> Job | None:
        return self._jobs.get(name)

    def _book(self, symbol: str) -> BookJob:
        levels = self._settings.ORDER_BOOK_LEVELS
        return BookJob(name=f"order_book:{symbol}", weight=depth_weight(levels), symbol=symbol, levels=levels)

    def _trades(self, symbol: str, positions: dict[str, int]) -> TradesJob:
        start_ms = self._clock.surely_past_ms() - int(self._settings.TRADES_BACKFILL * 1000)
        return TradesJob(name=f"trades:{symbol}", symbol=symbol, start_ms=start_ms, last_id=positions.get(symbol))

    def _klines(self, symbol: str, interval: str, positions: dict[tuple[str, str], object]) -> KlinesJob:
        stored = positions.get((symbol, interval))
        now_ms = self._clock.surely_past_ms()
        from_ms = datetime_to_ms(stored) if stored else first_start_ms(interval, self._settings.KLINES_BACKFILL, now_ms)
        return KlinesJob(
            name=f"klines:{symbol}:{interval}", symbol=symbol, interval=interval, from_ms=from_ms, clock=self._clock
        )

    def _stored(self) -> tuple[dict, dict]:
        read = self._database.run(
            lambda session: (session.state.trade_positions(), session.state.kline_positions()), self._stop
        )
        return read or ({}, {})

    def _name_source(self, symbols: int, tracked: int) -> None:
        """The simulator says what it is in a header; the real exchange says nothing and is named by
        its host."""
        base_url = self._exchange.base_url
        name = self._exchange.data_source or f"live: {urlsplit(base_url).hostname}"
        if name != self._source:
            log.info("exchange", extra={"url": base_url, "source": name, "symbols": symbols, "tracked": tracked})
        self._source = name
        self._database.run(lambda session: session.state.name_source(name, base_url), self._stop)
