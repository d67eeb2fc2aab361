"""The producer's loop: hand due jobs to the pool within the weight budget, write what comes back.

A result is written before its job is due again, and one writer writes them all; so rows of one job
reach PostgreSQL in the order in which they were asked for, and an outage of PostgreSQL stops the
asking."""

import logging
import time
from collections import Counter
from collections.abc import Callable

import psycopg2

from pipeline.errors import ExchangeBanned, ExchangeError, UnknownSymbol
from pipeline.outage import SAY_EVERY_SECONDS
from pipeline.producer import metrics
from pipeline.producer.ban import Ban
from pipeline.producer.budget import Budget
from pipeline.producer.client import Exchange
from pipeline.producer.database import Database, Session
from pipeline.producer.jobs import Fetched, Job
from pipeline.producer.pool import Done, Pool
from pipeline.producer.request_outages import RequestOutages
from pipeline.producer.schedule import Entry, Schedule
from pipeline.stopping import Stop
from pipeline.tables import TRADES

log = logging.getLogger(__name__)

# Requests of one kind that hang must leave threads to the other kinds (there are six).
THREADS_PER_KIND = 3
THREADS = 6 * THREADS_PER_KIND
# Waiting for weight this long is worth a line.
SHORT_AFTER_SECONDS = 5.0
HOUSEKEEPING_SECONDS = 3600.0
HOUSEKEEPING_RETRY_SECONDS = 60.0


class Loop:
    """Runs until it is stopped. `on_fetched` is told of every committed result and may replace the
    schedule."""

    def __init__(
        self,
        exchange: Exchange,
        ban: Ban,
        budget: Budget,
        schedule: Schedule,
        database: Database,
        on_fetched: Callable[[Job, Fetched], None],
        on_unknown_symbol: Callable[[Job], None],
        trades_retention_days: int,
    ) -> None:
        self._exchange = exchange
        self._ban = ban
        self._budget = budget
        self._schedule = schedule
        self._database = database
        self._retention_days = trades_retention_days
        self._on_fetched = on_fetched
        self._on_unknown_symbol = on_unknown_symbol
        self._pool = Pool(THREADS)
        self._running = Counter()
        self._troubles = RequestOutages(log)
        self._housekeeping_due = 0.0
        self._said_at = float("-inf")
        self._bans_kept = 0
        self.progress_at = time.monotonic()
        metrics.USED_WEIGHT.set_function(budget.used)
        metrics.BAN_SECONDS.set_function(ban.remaining_seconds)

    def run(self, stop: Stop) -> None:
        self._restore_ban(stop)
        while not stop.requested:
            self._submit_due()
            done = self._pool.next_done(min(0.5, self._pause_seconds()))
            while done is not None and not stop.requested:
                self._finish(done, stop)
                done = self._pool.next_done(0)
            self._housekeep(stop)

    def _restore_ban(self, stop: Stop) -> None:
        """A ban outlives the process that received it; no request is sent before PostgreSQL has
        been asked whether one still lasts."""
        remaining = self._database.run(lambda session: session.state.ban(self._exchange.base_url), stop)
        if remaining:
            self._ban.begin(remaining)
            self._bans_kept = self._ban.count
            log.warning("exchange_ban_restored", extra={"ban_s": round(remaining)})

    def _keep_ban(self, stop: Stop) -> None:
        if self._bans_kept != self._ban.count:
            self._bans_kept = self._ban.count
            seconds = self._ban.remaining_seconds()
            self._database.run(lambda session: session.state.keep_ban(self._exchange.base_url, seconds), stop)

    def _pause_seconds(self) -> float:
        """Until a job can start; jobs that wait for weight, threads or the end of a ban are looked
        at twice a second."""
        pause = self._schedule.seconds_to_next()
        return pause if pause > 0 else 0.5

    def _submit_due(self) -> None:
        remaining = self._ban.remaining_seconds()
        if remaining:
            self._say("exchange_ban_active", {"next_try_s": round(remaining)})
            return
        together = 1 if self._ban.probing else self._pool.size
        for entry in self._schedule.due():
            job = entry.job
            if self._pool.busy >= together:
                return
            if self._running[job.kind] >= THREADS_PER_KIND:
                continue
            if not self._budget.take(job.weight, self._schedule.kept_for_others(entry)):
                self._say_short(entry)
                continue
            entry.running = True
            self._running[job.kind] += 1
            self._pool.submit(entry, lambda job=job: job.fetch(self._exchange))

    def _finish(self, done: Done, stop: Stop) -> None:
        entry: Entry = done.job
        job = entry.job
        self._running[job.kind] -= 1
        try:
            if done.error is not None:
                raise done.error  # what is no failure of the exchange is a bug and ends the program
            if not self._write(job, done.result, stop):
                return
            job.stored(done.result)
            self._on_fetched(job, done.result)
        except ExchangeBanned as error:
            self._count_failure(job, error)
            self._said_at = time.monotonic()  # the client has logged it
            self._schedule.put_back(entry)  # the ban knows how long
            self._keep_ban(stop)
        except UnknownSymbol as error:
            self._on_unknown_symbol(job)
            self._keep_troubles()
            if entry in self._schedule:  # it asked for no symbol of its own
                self._failed(entry, error)
            else:
                self._count_failure(job, error)
        except (ExchangeError, psycopg2.Error) as error:
            self._failed(entry, error)
        else:
            self._succeeded(entry, done.result)

    def _write(self, job: Job, fetched: Fetched, stop: Stop) -> bool:
        """False when a stop came before PostgreSQL had it."""
        if not any(batch.rows for batch in fetched.batches):
            return True

        def write(session: Session) -> bool:
            if time.monotonic() - fetched.at <= job.good_seconds:
                session.upserts.write(fetched.batches, fetched.positions)
            return True

        if not self._database.run(write, stop):
            return False
        for batch in fetched.batches:
            if batch.table is TRADES:
                newest = batch.rows[-1]["trade_time"].timestamp()
                metrics.LAG_SECONDS.observe(max(0.0, time.time() - newest))
        return True

    def _succeeded(self, entry: Entry, fetched: Fetched) -> None:
        self._schedule.succeeded(entry, fetched.again)
        self._troubles.succeeded(entry.job.name)
        metrics.LAST_SUCCESS.labels(entry.job.kind).set_to_current_time()
        self.progress_at = time.monotonic()
        if entry.job.kind == "listing":
            self._keep_troubles()

    def _failed(self, entry: Entry, error: Exception) -> None:
        """Only this job backs off; the others go on."""
        self._count_failure(entry.job, error)
        self._troubles.failed(entry.job.kind, entry.job.name, error, self._schedule.failed(entry))

    def _count_failure(self, job: Job, error: Exception) -> None:
        metrics.FAILURES.labels(job.kind, type(error).__name__).inc()

    def _keep_troubles(self) -> None:
        self._troubles.keep_only(self._schedule.names())

    def _say_short(self, entry: Entry) -> None:
        if self._schedule.seconds_late(entry) > SHORT_AFTER_SECONDS:
            self._say(
                "weight_short",
                {
                    "waiting": entry.job.name,
                    "used": self._budget.used(),
                    "budget": round(self._budget.per_minute),
                    "next_minute_s": round(self._budget.seconds_to_next_minute()),
                },
            )

    def _say(self, event: str, facts: dict[str, object]) -> None:
        if time.monotonic() - self._said_at > SAY_EVERY_SECONDS:
            self._said_at = time.monotonic()
            log.warning(event, extra=facts)

    def _housekeep(self, stop: Stop) -> None:
        if time.monotonic() < self._housekeeping_due:
            return
        self._housekeeping_due = time.monotonic() + HOUSEKEEPING_SECONDS
        try:
            dropped = self._database.run(lambda session: session.trade_days.drop_old(self._retention_days), stop)
        except psycopg2.Error as error:
            self._housekeeping_due = time.monotonic() + HOUSEKEEPING_RETRY_SECONDS
            log.error("trade_days_not_dropped", extra={"error": str(error).strip()})
            return
        if dropped:
            log.info("trade_days_dropped", extra={"days": dropped, "kept_days": self._retention_days})
