"""The producer's loop: start the jobs that are due, within the weight budget, and write what comes
back.

A result is written before its job is due again, and one thread writes all results. So the rows of a
job reach PostgreSQL in the order in which they were requested, and nothing is requested while
PostgreSQL is unavailable."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import psycopg2

from pipeline.errors import ExchangeBanned, ExchangeError, UnknownSymbol
from pipeline.producer import metrics
from pipeline.producer.ban_keeper import BanKeeper
from pipeline.producer.client import Exchange
from pipeline.producer.database import Database, Session
from pipeline.producer.housekeeping import Housekeeping
from pipeline.producer.jobs import Fetched, Job
from pipeline.producer.jobset import JobSet
from pipeline.producer.pool import Done, Pool
from pipeline.producer.request_outages import RequestOutages
from pipeline.producer.schedule import Entry
from pipeline.stopping import Stop
from pipeline.tables import TRADES

log = logging.getLogger(__name__)

# Requests of one kind that hang must leave threads to the other kinds (there are seven).
THREADS_PER_KIND = 3
THREADS = 7 * THREADS_PER_KIND
# Jobs that wait for weight, for a thread or for the end of a ban are checked this often.
MAX_PAUSE_SECONDS = 0.5
# A job that has waited for weight this long is logged.
SHORT_AFTER_SECONDS = 5.0
WARN_EVERY_SECONDS = 30.0


class Loop:
    """Repeats `step` until it is stopped."""

    def __init__(
        self,
        exchange: Exchange,
        jobs: JobSet,
        database: Database,
        trades_retention_days: int,
        clock: Callable[[], float] = time.monotonic,
        pool: Pool | None = None,
    ) -> None:
        self._exchange = exchange
        self._jobs = jobs
        self._database = database
        self._clock = clock
        self._pool = pool or Pool(THREADS, clock)
        self._ban_keeper = BanKeeper(exchange.ban, exchange.base_url, database)
        self._housekeeping = Housekeeping(database, trades_retention_days, clock)
        self._outages = RequestOutages(log, clock)
        self._running: Counter[str] = Counter()
        self._warned_at = float("-inf")
        self._progress_at = clock()
        metrics.USED_WEIGHT.set_function(exchange.budget.used)
        metrics.BAN_SECONDS.set_function(exchange.ban.remaining_seconds)

    def run(self, stop: Stop) -> None:
        self._ban_keeper.restore(stop)
        while not stop.requested:
            self.step(stop)

    def step(self, stop: Stop) -> None:
        """Start what is due, wait until something is finished or due, write what is finished."""
        self._submit_due()
        done = self._pool.next_done(self._pause_seconds())
        while done is not None and not stop.requested:
            self._finish(done, stop)
            done = self._pool.next_done(0)
        self._housekeeping.run_if_due(stop)

    def idle_seconds(self) -> float:
        """Since a job last succeeded, or since the start."""
        return self._clock() - self._progress_at

    def _pause_seconds(self) -> float:
        to_next = self._jobs.schedule.seconds_to_next()
        return min(to_next, MAX_PAUSE_SECONDS) if to_next > 0 else MAX_PAUSE_SECONDS

    def _submit_due(self) -> None:
        ban, budget, schedule = self._exchange.ban, self._exchange.budget, self._jobs.schedule
        remaining = ban.remaining_seconds()
        if remaining:
            self._warn("exchange_ban_active", {"next_try_s": round(remaining)})
            return
        parallel = 1 if ban.probing else self._pool.size
        for entry in schedule.due():
            job = entry.job
            if self._pool.busy >= parallel:
                return
            if self._running[job.kind] >= THREADS_PER_KIND:
                continue
            if not budget.take(job.weight, schedule.reserved_per_minute(entry)):
                self._warn_if_late(entry)
                continue
            entry.running = True
            self._running[job.kind] += 1
            self._pool.submit(entry, partial(job.fetch, self._exchange))

    def _finish(self, done: Done, stop: Stop) -> None:
        entry: Entry = done.job
        job = entry.job
        self._running[job.kind] -= 1
        try:
            if done.error is not None:
                raise done.error  # anything but an ExchangeError is a bug and ends the program
            if not self._write(job, done, stop):
                return
            if not done.result.discarded:
                job.stored(done.result)
            self._jobs.committed(job, done.result, stop)
        except ExchangeBanned as error:
            self._count_failure(job, error)
            self._warned_at = self._clock()  # the client has logged it
            self._jobs.schedule.put_back(entry)  # the ban says for how long
            self._ban_keeper.keep(stop)
        except UnknownSymbol as error:
            if self._jobs.leave_out(job):
                self._count_failure(job, error)
                self._forget_removed_jobs()
            else:  # a request for the whole market names no symbol
                self._failed(entry, error)
        except (ExchangeError, psycopg2.Error) as error:
            self._failed(entry, error)
        else:
            self._succeeded(entry, done.result)

    def _write(self, job: Job, done: Done, stop: Stop) -> bool:
        """False if a stop came before PostgreSQL had committed the rows."""
        fetched: Fetched = done.result
        if not fetched.positions and not any(batch.rows for batch in fetched.batches):
            return True

        def write(session: Session) -> bool:
            fetched.discarded = self._clock() - done.finished_at > job.max_age_seconds
            if not fetched.discarded:
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
        self._jobs.schedule.succeeded(entry, fetched.again)
        self._outages.succeeded(entry.job.name)
        metrics.LAST_SUCCESS.labels(entry.job.kind).set_to_current_time()
        self._progress_at = self._clock()
        if entry.job.kind == "listing":
            self._forget_removed_jobs()

    def _failed(self, entry: Entry, error: Exception) -> None:
        """Only this job backs off; the others continue."""
        self._count_failure(entry.job, error)
        self._outages.failed(entry.job.kind, entry.job.name, error, self._jobs.schedule.failed(entry))

    def _count_failure(self, job: Job, error: Exception) -> None:
        metrics.FAILURES.labels(job.kind, type(error).__name__).inc()

    def _forget_removed_jobs(self) -> None:
        self._outages.keep_only(self._jobs.schedule.entries)

    def _warn_if_late(self, entry: Entry) -> None:
        if self._jobs.schedule.seconds_late(entry) > SHORT_AFTER_SECONDS:
            budget = self._exchange.budget
            facts: dict[str, object] = {
                "waiting": entry.job.name,
                "used": budget.used(),
                "budget": round(budget.per_minute),
                "next_minute_s": round(budget.seconds_to_next_minute()),
            }
            self._warn("weight_short", facts)

    def _warn(self, event: str, facts: dict[str, object]) -> None:
        """At most one line per WARN_EVERY_SECONDS."""
        if self._clock() - self._warned_at > WARN_EVERY_SECONDS:
            self._warned_at = self._clock()
            log.warning(event, extra=facts)
