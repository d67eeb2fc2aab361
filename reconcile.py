#!/usr/bin/env python3
"""Compares the exchange with PostgreSQL, and PostgreSQL with Cassandra and (if REDIS_URL is set)
Redis, row by row where their digests differ. Rows on their way are no differences. Changes nothing
without --repair.

python3 reconcile.py                             the last hour of history, all current rows
python3 reconcile.py --last 1d --tables klines   another stretch of time, some tables
python3 reconcile.py --from 2026-11-26T10:00Z --to 2026-11-26T12:00Z
python3 reconcile.py --repair                    writes what is missing or wrong
python3 reconcile.py --json                      for programs

The exit code is 0 when everything is equal (with --repair: was made equal), 1 when anything differs
or could not be compared (also a Redis that is unavailable or being filled), 2 for a wrong setting
or argument. With Docker: docker compose run --rm reconcile --last 1h
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from pipeline import program, stopping
from pipeline.mirroring.console import Console
from pipeline.reconciliation import window as windows
from pipeline.reconciliation.connections import open_sides
from pipeline.reconciliation.reconcile import Reconciliation
from pipeline.reconciliation.report import Report, text_lines
from pipeline.settings import load


def main() -> int:
    options = arguments()
    settings = load("auditor")
    for library in ("cassandra", "kafka"):  # errors are raised, and shown in one line
        logging.getLogger(library).setLevel(logging.CRITICAL)
    stop = stopping.on_signals()
    report, began = Report(options.window), time.monotonic()
    with open_sides(settings) as sides:
        reconciliation = Reconciliation(settings, sides, stop, options.tables)
        if options.exchange:
            reconciliation.exchange(report, options.window, options.repair)
        reconciliation.stores(report, options.repair)
    report.seconds = time.monotonic() - began
    return show(report, options.json) if not stop.requested else 130


def show(report: Report, as_json: bool) -> int:
    if as_json:
        print(report.as_json())
    else:
        console = Console()
        kinds = {"good": console.done, "bad": console.failed, "detail": console.detail, "plain": console.line}
        for kind, text in text_lines(report):
            kinds[kind](text)
    return 0 if report.is_well else 1


def read(parse: Callable[[str], Any], expected: str) -> Callable[[str], Any]:
    """For argparse: says what is expected in place of a text that cannot be parsed."""

    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r}: expected {expected}") from None

    return parsed


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--tables",
        type=lambda text: frozenset(filter(None, map(str.strip, text.split(",")))),
        metavar="NAME,…",
        help="tables of PostgreSQL or Cassandra, with what Redis has of them (default: all that are captured)",
    )
    parser.add_argument(
        "--last",
        type=read(windows.parsed_duration, "a duration such as 30m, 12h or 7d"),
        metavar="1h",
        help="how far back (default: 1h)",
    )
    moment = read(windows.parsed_time, "a time such as 2026-11-26T10:00Z, or ms since 1970")
    parser.add_argument("--from", dest="from_ms", type=moment, metavar="TIME", help="ISO 8601, inclusive")
    parser.add_argument("--to", dest="to_ms", type=moment, metavar="TIME", help="exclusive (default: now)")
    parser.add_argument(
        "--no-exchange", dest="exchange", action="store_false", help="compare PostgreSQL with the stores only"
    )
    parser.add_argument("--repair", action="store_true", help="write what is missing or wrong")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.last is not None and options.from_ms is not None:
        parser.error("--last and --from exclude each other")
    options.window = windows.last(options.last or windows.DEFAULT_SECONDS, options.to_ms)
    if options.from_ms is not None:
        options.window = windows.Window(options.from_ms, options.window.to_ms)
    if options.window.is_empty:
        parser.error("--from must be earlier than --to")
    return options


if __name__ == "__main__":
    sys.exit(program.run("reconcile", main))
