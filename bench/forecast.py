"""The forecaster with 12 symbols: how long its state takes to rebuild, CPU, memory; and the
evaluation of all models over examples/forecast.

    .local/venv/bin/python -m bench.forecast [--minutes 60]

CPU: minutes of candles are inserted one after the other and processed, and polling is measured
while nothing arrives; both together are the share of a core. Exits with 1 if a limit is
exceeded."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from psycopg2.extensions import connection as Connection

from bench import machine
from bench.consumer_memory import resident_mib
from bench.database import connect
from bench.producer_steady import SYMBOLS, cpu_seconds
from bench.results import publish, table
from local.ports import free_ports
from local.stack import Stack
from pipeline.forecast import archive, backtest
from pipeline.forecast.minutes import Candle
from pipeline.forecast.models import BASELINES, LOG_HAR
from pipeline.intervals import MINUTE_MS, floor_ms
from pipeline.times import now_ms
from tests.support.klines import insert_klines
from tests.support.program import Program
from tests.support.random_candles import random_candles
from tests.support.waiting import wait_until

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "forecast"
HISTORY_MINUTES = 16 * 1440
IDLE_SECONDS = 30
MAX_CPU_PERCENT, MAX_MIB, MAX_REBUILD_SECONDS = 1.0, 100.0, 60.0
# Of naive's QLIKE, by horizon in minutes; and the coverage.
MAX_RATIO = {15: 0.75, 60: 0.88}
MIN_COVERAGE, MAX_COVERAGE = 0.88, 0.92


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.forecast", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=60, help="minutes of candles to process (60)")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        Stack(Path(folder), ("postgres", "postgres-schema")) as stack,
    ):
        rebuild_seconds, idle_percent, minute_ms, mib = run(stack, Path(folder), options.minutes)
    cpu_percent = idle_percent + minute_ms / MINUTE_MS * 100
    rows = [
        ("state rebuilt from 16 days of candles, s", f"{rebuild_seconds:.1f}", f"< {MAX_REBUILD_SECONDS:g}"),
        ("CPU to process a minute of all symbols, ms", f"{minute_ms:.1f}", ""),
        ("CPU while it polls and nothing arrives, % of one core", f"{idle_percent:.2f}", ""),
        ("both, % of one core", f"{cpu_percent:.2f}", f"< {MAX_CPU_PERCENT:g}"),
        ("resident memory, MiB", f"{mib:.0f}", f"< {MAX_MIB:g}"),
    ]
    candles = archive.candles_by_symbol(sorted(EXAMPLES.glob("*.csv.gz")))
    results = backtest.evaluate(candles, tuple(MAX_RATIO), (*BASELINES, LOG_HAR))
    head = machine.head("python3 -m bench.forecast " + " ".join(sys.argv[1:]))
    publish(
        "forecast",
        f"# Forecaster, {len(SYMBOLS)} symbols, two horizons\n\n{head}\n{table(('what', 'measured', 'wanted'), rows)}\n"
        f"## Evaluation over examples/forecast\n\n{backtest.markdown(results)}",
    )
    missed = cpu_percent >= MAX_CPU_PERCENT or mib >= MAX_MIB or rebuild_seconds >= MAX_REBUILD_SECONDS
    return int(missed or not all(map(is_good, results)))


def is_good(result: backtest.Result) -> bool:
    if result.model != LOG_HAR:
        return True
    return result.ratio <= MAX_RATIO[result.horizon] and MIN_COVERAGE <= result.coverage <= MAX_COVERAGE


def run(stack: Stack, folder: Path, minutes: int) -> tuple[float, float, float, float]:
    """Seconds of the rebuild, percent of a core while idle, CPU ms per minute of candles, resident
    MiB."""
    end_ms = floor_ms(now_ms(), MINUTE_MS) - minutes * MINUTE_MS
    connection = connect(stack.environ, superuser=True)
    for seed, symbol in enumerate(SYMBOLS):
        history = random_candles(end_ms - HISTORY_MINUTES * MINUTE_MS, HISTORY_MINUTES, seed)
        insert_klines(connection, symbol, history)
    port = free_ports(1)[0]
    environ = {**stack.environ, "SYMBOLS": ",".join(SYMBOLS), "METRICS_PORT": str(port)}
    with Program(["forecast_volatility.py"], environ, folder / "forecaster.log", port) as program:
        began = time.monotonic()
        wait_until(lambda: newest_ms(connection) == end_ms or newest_ms(connection), 300, "the rebuilt state")
        rebuild_seconds = time.monotonic() - began
        time.sleep(5)
        cpu, began = cpu_seconds(program.process.pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        idle_seconds = cpu_seconds(program.process.pid) - cpu
        idle_share = idle_seconds / (time.monotonic() - began)
        cpu, began = cpu_seconds(program.process.pid), time.monotonic()
        for number in range(minutes):
            add_minute(connection, end_ms + number * MINUTE_MS, number)
            made_ms = end_ms + (number + 1) * MINUTE_MS
            wait_until(
                lambda made_ms=made_ms: newest_ms(connection) == made_ms or newest_ms(connection), 30, "a minute"
            )
        polling = idle_share * (time.monotonic() - began)
        busy_seconds = cpu_seconds(program.process.pid) - cpu - polling
        mib = resident_mib(program.process.pid)
    connection.close()
    return rebuild_seconds, idle_share * 100, max(0.0, busy_seconds) / minutes * 1000, mib


def add_minute(connection: Connection, open_ms: int, seed: int) -> None:
    for symbol in SYMBOLS:
        candles: list[Candle] = list(random_candles(open_ms, 1, seed))
        insert_klines(connection, symbol, candles)


def newest_ms(connection: Connection) -> int:
    """When the newest forecast of the symbol that lags most was made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (extract(epoch FROM min(newest)) * 1000)::bigint, count(*) FROM (SELECT max(made_at) AS newest "
            "FROM forecasts GROUP BY symbol, horizon) AS each"
        )
        newest, count = cursor.fetchone()
    return newest if count == 2 * len(SYMBOLS) else 0


if __name__ == "__main__":
    raise SystemExit(main())
