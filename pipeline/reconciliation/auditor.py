"""The auditor: compares the recent hours round and round, slowly, and exports what it finds. It
changes nothing: `reconcile.py --repair` does. Knows the order of a round; knows no rows.

python3 -m pipeline.reconciliation.auditor"""

import logging
import os
import time
from collections import Counter

from pipeline import logs, monitor, program
from pipeline.backoff import Backoff
from pipeline.errors import PipelineError
from pipeline.outage import Outage
from pipeline.reconciliation import metrics
from pipeline.reconciliation import window as windows
from pipeline.reconciliation.connections import Sides, open_sides
from pipeline.reconciliation.pace import Pace
from pipeline.reconciliation.reconcile import Reconciliation
from pipeline.reconciliation.report import EXCHANGE, KINDS, REDIS, Report
from pipeline.reconciliation.shown import line
from pipeline.settings import Settings, load
from pipeline.stopping import Stop, on_signals

log = logging.getLogger("pipeline.reconciliation")

WINDOW_SECONDS = 3 * 3600.0
# Of one core. Waiting, and the threads of the libraries, cost about as much as is missing to 5 %.
CPU_SHARE = 0.03
PAUSE_SECONDS = 60.0
# A round asks the exchange for what has come since the one before, and a little more: asked for all
# hours each time, it would send gigabytes per day. What differs is asked for until it is equal.
EXCHANGE_OVERLAP_MS = 120_000
LOWEST_PRIORITY = 19
MAX_LOGGED = 5
STUCK_AFTER_SECONDS = 900


def main() -> int:
    settings = load("auditor")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    for library in ("cassandra", "kafka"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # an outage is logged once, by its name
    stop = on_signals()
    os.nice(LOWEST_PRIORITY)
    auditor = Auditor(settings, stop)
    monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, auditor.health)
    log.info("auditor_started", extra={"window_s": round(WINDOW_SECONDS)})
    auditor.run()
    return 0


class Auditor:
    """Rounds without end. Something that is unavailable ends a round; the next one begins later."""

    def __init__(self, settings: Settings, stop: Stop) -> None:
        self._settings = settings
        self._stop = stop
        self._pace = Pace(CPU_SHARE, stop)
        self._outage = Outage("audit", log)
        self._backoff = Backoff(5.0, PAUSE_SECONDS)
        self._progress_at = time.monotonic()
        self._exchange_from_ms = 0
        self._has_ended_a_round = False
        self._exported: set[tuple[str, str]] = set()

    def run(self) -> None:
        while not self._stop.requested:
            self._progress_at = time.monotonic()
            try:
                with open_sides(self._settings) as sides:
                    self._round(sides)
                self._outage.over()
                pause_seconds = PAUSE_SECONDS
                self._backoff = Backoff(5.0, PAUSE_SECONDS)
            except PipelineError as error:
                if not error.retriable:
                    raise
                pause_seconds = self._backoff.next_seconds()
                self._outage.failed(error, pause_seconds)
            self._stop.wait(pause_seconds)

    def _round(self, sides: Sides) -> None:
        began_s, began = time.time(), time.monotonic()
        report = Report(windows.last(WINDOW_SECONDS))
        self._pace.begin()  # connecting does not count
        reconciliation = Reconciliation(self._settings, sides, self._stop, pace=self._paced)
        reconciliation.exchange(report, report.window.since(self._exchange_from_ms), repairs=False)
        if report.is_well:
            self._exchange_from_ms = report.window.to_ms - EXCHANGE_OVERLAP_MS
        reconciliation.stores(report, repairs=False)
        if self._stop.requested:
            return
        report.seconds = time.monotonic() - began
        self._has_ended_a_round = True
        self._export(report, began_s)
        facts = {"rows": report.rows, "wrong": report.wrong, "took_s": round(report.seconds)}
        log.info("round_done", extra=facts)
        for side, reason in report.not_compared.items():
            log.warning("not_compared", extra={"side": side, "reason": reason})
        for each in report.differences[:MAX_LOGGED]:
            log.warning("difference", extra={"found": line(each)})

    def _paced(self) -> None:
        """The first round after a start does not wait, so that there is something to show soon."""
        self._progress_at = time.monotonic()
        if self._has_ended_a_round:
            self._pace()

    def _export(self, report: Report, began_s: float) -> None:
        rows, wrong = Counter[str](), Counter[tuple[str, str]]()
        for each in report.lines:
            rows[each.table] += each.rows
            for kind in KINDS:
                wrong[each.table, kind] += getattr(each, kind)
        for table, count in rows.items():
            metrics.ROWS.labels(table).inc(count)
        for gone in self._exported - wrong.keys():
            metrics.DIFFERENCES.remove(*gone)
        for labels, count in wrong.items():
            metrics.DIFFERENCES.labels(*labels).set(count)
        self._exported = set(wrong)
        metrics.UNJUDGED.set(report.unjudged)
        metrics.EXCHANGE_COMPARED.set(EXCHANGE not in report.not_compared)
        metrics.REDIS_COMPARED.set(bool(self._settings.REDIS_URL) and REDIS not in report.not_compared)
        metrics.ROUND_DONE.set(time.time())
        metrics.ROUND_SECONDS.set(report.seconds)
        if not report.wrong and not report.not_compared:
            metrics.EQUAL_UNTIL.set(began_s)

    def health(self) -> tuple[bool, dict[str, object]]:
        idle_seconds = round(time.monotonic() - self._progress_at, 1)
        return idle_seconds < STUCK_AFTER_SECONDS, {"seconds_since_progress": idle_seconds}


if __name__ == "__main__":
    raise SystemExit(program.run("auditor", main))
