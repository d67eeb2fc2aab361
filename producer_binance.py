#!/usr/bin/env python3
"""Exchange → PostgreSQL: polls prices, 24 h statistics, order books, trades and candles, and writes
what changed.

python3 producer_binance.py         settings come from the environment and .env (see .env.example)
"""

import argparse
import logging
import time

from pipeline import logs, monitor, postgres, program
from pipeline.producer.budget import Budget
from pipeline.producer.client import Exchange
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.data_source_check import checked_first
from pipeline.producer.database import Database
from pipeline.producer.gate import Gate
from pipeline.producer.jobset import JobSet
from pipeline.producer.loop import Loop
from pipeline.producer.schedule import Schedule
from pipeline.producer.shutdown_watchdog import exit_after_grace_period
from pipeline.settings import load
from pipeline.stopping import on_signals

log = logging.getLogger("pipeline.producer")
STUCK_AFTER_SECONDS = 120


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    settings = load("producer")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    exit_after_grace_period()

    gate, clock, schedule = Gate(), ExchangeClock(), Schedule(time.monotonic)
    budget = Budget(settings.WEIGHT_BUDGET_PERCENT, clock.seconds)
    exchange = Exchange(settings.BINANCE_BASE_URL, gate, budget)
    database = Database(lambda: postgres.connect(settings, "producer"))
    jobs = JobSet(settings, schedule, exchange, budget, clock, database, stop)
    fetched = checked_first(jobs.fetched, settings, exchange, database, stop)
    loop = Loop(
        exchange, gate, budget, schedule, database, fetched, jobs.unknown_symbol, settings.TRADES_RETENTION_DAYS
    )
    monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: health(loop))
    log.info("producer_started", extra={"exchange": settings.BINANCE_BASE_URL, "symbols": ",".join(settings.SYMBOLS)})
    try:
        loop.run(stop)
    finally:
        database.close()
    return 0


def health(loop: Loop) -> tuple[bool, dict[str, object]]:
    idle_seconds = round(time.monotonic() - loop.progress_at, 1)
    return idle_seconds < STUCK_AFTER_SECONDS, {"seconds_since_progress": idle_seconds}


if __name__ == "__main__":
    raise SystemExit(program.run("producer", main))
