"""The producer in its steady state: 12 tracked symbols, a market of 400, default settings, a
simulated exchange. Weight used against the plan it printed, CPU, and how old a price is when its
row is committed.

    .local/venv/bin/python -m bench.producer_steady [--minutes 3]

Freshness: from the trade that set a price to the moment its row can be read, for every change of a
tracked price, checked every 10 ms. Exits with 1 if a limit is exceeded."""

import argparse
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from psycopg2.extensions import connection as Connection

from bench import machine
from bench.consuming import cpu_seconds
from bench.results import publish, spread, table
from local.stack import Stack
from pipeline.times import now_ms
from simulator.market.pair import Pair
from tests.support.producer_faults.world import World

SYMBOLS = (
    "BTCUSDT",
    "ETHUSDT",
    "BNBUSDT",
    "SOLUSDT",
    "XRPUSDT",
    "DOGEUSDT",
    "ADAUSDT",
    "AVAXUSDT",
    "DOTUSDT",
    "LINKUSDT",
    "LTCUSDT",
    "TRXUSDT",
)
TRACKED_PRICES = "SELECT symbol, price, updated_at FROM latest_prices WHERE symbol = ANY(%s)"
CHECK_SECONDS = 0.01
MINUTE_MS = 60_000
MAX_WEIGHT_OFF_PERCENT = 5.0
MAX_CPU_PERCENT = 15.0
MAX_AGE_SECONDS = 0.5


@dataclass
class Measured:
    """`weights`: of each full minute. `cpu_percent`: of one core, the first seconds (start and
    backfill) left out."""

    planned: float = 0.0
    weights: list[int] = field(default_factory=list)
    cpu_percent: float = 0.0
    ages: list[float] = field(default_factory=list)
    lag_median: float = 0.0
    violations: int = 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.producer_steady",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=int, default=3, help="full minutes by the clock (3)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="producer_steady_"))
    with Stack(folder, ("postgres", "postgres-schema")) as stack:
        world = World(stack, folder, symbols=400, SYMBOLS=",".join(SYMBOLS))
        try:
            measured = watch(world, options.minutes)
        finally:
            world.close()
    off = max(abs(weight / measured.planned - 1) * 100 for weight in measured.weights)
    median, p95, p99, worst = spread(measured.ages)
    rows = [
        ("weight per minute, planned", f"{measured.planned:.0f}", ""),
        ("weight per minute, used", ", ".join(map(str, measured.weights)), ""),
        ("largest difference from the plan, %", f"{off:.1f}", f"≤ {MAX_WEIGHT_OFF_PERCENT:g}"),
        ("CPU, % of one core", f"{measured.cpu_percent:.1f}", f"< {MAX_CPU_PERCENT:g}"),
        (
            f"price, trade to readable row, median s ({len(measured.ages):,} changes)",
            f"{median:.2f}",
            f"< {MAX_AGE_SECONDS}",
        ),
        ("the same, p95 / p99 / max s", f"{p95:.2f} / {p99:.2f} / {worst:.2f}", ""),
        ("requests inside a ban", measured.violations, "0"),
    ]
    head = machine.head("python3 -m bench.producer_steady " + " ".join(sys.argv[1:]))
    publish("producer_steady", f"# Producer, steady state\n\n{head}\n{table(('what', 'measured', 'wanted'), rows)}")
    missed = off > MAX_WEIGHT_OFF_PERCENT or measured.cpu_percent >= MAX_CPU_PERCENT or median >= MAX_AGE_SECONDS
    return int(missed or measured.violations > 0)


def watch(world: World, minutes: int) -> Measured:
    """From the next full minute after the producer has caught up."""
    measured = Measured()
    world.exchange.start()
    world.start_producer()
    world.wait_for_rows("order_book", len(SYMBOLS), 60)
    world.wait_for_rows("crypto_24h_stats", 400, 60)
    first_ms = now_ms() // MINUTE_MS * MINUTE_MS + MINUTE_MS
    connection = world.connect()
    price_ages(world, connection, first_ms)  # until the minute begins
    cpu, began = cpu_seconds(world.producer.process.pid), time.monotonic()
    measured.ages = price_ages(world, connection, first_ms + minutes * MINUTE_MS)
    measured.cpu_percent = (cpu_seconds(world.producer.process.pid) - cpu) / (time.monotonic() - began) * 100
    connection.close()
    measured.planned = float(re.findall(r'requests="total (\d+)', world.output())[-1])
    report = world.exchange.report()
    wanted = range(first_ms, first_ms + minutes * MINUTE_MS, MINUTE_MS)
    measured.weights = [one["weight"] for one in report["minutes"] if one["minute_ms"] in wanted]
    measured.violations = report["violation_count"]
    return measured


def price_ages(world: World, connection: Connection, until_ms: int) -> list[float]:
    """The age in seconds of every tracked price when it is first found."""
    known: dict[str, tuple] = {}
    ages: list[float] = []
    pairs = {symbol: world.exchange.market.pair(symbol) for symbol in SYMBOLS}
    with connection.cursor() as cursor:
        while now_ms() < until_ms:
            cursor.execute(TRACKED_PRICES, (list(SYMBOLS),))
            checked_ms = now_ms()
            for symbol, price, updated_at in cursor.fetchall():
                if symbol in known and known[symbol] != (price, updated_at):
                    ages.append((checked_ms - made_ms(pairs[symbol], price, checked_ms)) / 1000)
                known[symbol] = (price, updated_at)
            time.sleep(CHECK_SECONDS)
    return ages


def made_ms(pair: Pair, price: Decimal, checked_ms: int) -> int:
    """When this price became current: with the first of the latest trades in a row at it."""
    index = pair.trades.count_until(checked_ms) - 1
    ticks = int(price.scaleb(pair.listing.price_decimals))
    while pair.trades.price_ticks(index) != ticks:
        index -= 1
    while pair.trades.price_ticks(index - 1) == ticks:
        index -= 1
    return pair.trades.one(index).time_ms


if __name__ == "__main__":
    raise SystemExit(main())
