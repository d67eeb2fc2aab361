"""Rows per second of the producer's upserts, changed and unchanged, beside the obvious alternatives
in the same run:

ours    one statement per page of rows, in one transaction; an unchanged row is not written
batch   one INSERT … ON CONFLICT DO UPDATE per row, one transaction per page
single  the same, one transaction per row

    .local/venv/bin/python -m bench.upserts [--seconds 3]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import psycopg2

from bench import machine
from bench.results import publish, table
from local.stack import Stack
from pipeline import postgres
from pipeline.producer.batch import Batch, Row
from pipeline.producer.trade_days import TradeDays
from pipeline.producer.upserts import Upserts, template
from pipeline.settings import load
from pipeline.tables import KLINES, PRICES, STATS, TABLES, TRADES, Table

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Workload:
    """`rows(n)`: the page of rows at state n; another n changes every row (for trades: makes new
    ones)."""

    table: Table
    rows: Callable[[int], Sequence[Row]]


def price(number: int, state: int) -> Decimal:
    return Decimal(number * 1000 + state % 997 + 1) / 100


def prices(state: int) -> list[Row]:
    return [{"symbol": f"S{n}USDT", "price": price(n, state)} for n in range(400)]


def stats(state: int) -> list[Row]:
    numbers = [name for name, kind in STATS.columns.items() if kind == "numeric"]
    times = {"open_time": TODAY, "close_time": TODAY, "trade_count": 5}
    return [{"symbol": f"S{n}USDT", **dict.fromkeys(numbers, price(n, state)), **times} for n in range(400)]


def klines(state: int) -> list[Row]:
    numbers = [name for name, kind in KLINES.columns.items() if kind == "numeric"]
    return [
        {
            "symbol": "BTCUSDT",
            "interval": "1m",
            "open_time": (opens := TODAY + timedelta(minutes=n)),
            "close_time": opens + timedelta(seconds=59),
            "number_of_trades": 5,
            "is_closed": False,
            **dict.fromkeys(numbers, price(n, state)),
        }
        for n in range(1000)
    ]


def trades(state: int) -> list[Row]:
    return [
        {
            "symbol": "BTCUSDT",
            "trade_id": n,
            "trade_time": TODAY + timedelta(milliseconds=n % 86_400_000),
            "price": Decimal("2811.55"),
            "quantity": Decimal("0.01234"),
            "quote_quantity": Decimal("34.694527"),
            "is_buyer_maker": bool(n % 2),
            "first_trade_id": 2 * n,
            "last_trade_id": 2 * n + 1,
        }
        for n in range(state * 1000, state * 1000 + 1000)
    ]


WORKLOADS = (Workload(PRICES, prices), Workload(STATS, stats), Workload(KLINES, klines), Workload(TRADES, trades))
# Every measurement uses new states, so that its rows were not written by another.
STATES = count(1)


def plain_sql(table: Table) -> str:
    values = [name for name in table.columns if name not in table.key]
    wish = "DO NOTHING" if table is TRADES else f"DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in values)}"
    key, columns = ", ".join(table.key), ", ".join(table.columns)
    return f"INSERT INTO {table.name} ({columns}) VALUES {template(table)} ON CONFLICT ({key}) {wish}"


def one_by_one(connection: psycopg2.extensions.connection, batches: Sequence[Batch]) -> None:
    with connection.cursor() as cursor:
        for batch in batches:
            for row in batch.rows:
                cursor.execute(plain_sql(batch.table), row)


def in_one_transaction(connection: psycopg2.extensions.connection, batches: Sequence[Batch]) -> None:
    with connection:
        one_by_one(connection, batches)


@dataclass(frozen=True)
class Measured:
    rows_per_second: float
    wal_bytes_per_row: float


class Bench:
    def __init__(self, environ: dict[str, str], seconds: float) -> None:
        settings = load("producer", environ=environ, dotenv="/dev/null")
        self._seconds = seconds
        self._grouped = postgres.connect(settings, "bench")
        self._single = postgres.connect(settings, "bench")
        self._single.autocommit = True
        upserts = Upserts(self._grouped, TradeDays(self._grouped))
        upserts.write([Batch(TRADES, trades(0))])  # makes the day
        self._ways = {
            "ours": upserts.write,
            "batch": lambda batches: in_one_transaction(self._grouped, batches),
            "single": lambda batches: one_by_one(self._single, batches),
        }

    def run(self) -> Iterator[tuple[str, str, dict[str, Measured]]]:
        for workload in WORKLOADS:
            for kind in ("changed", "unchanged"):
                yield workload.table.name, kind, {way: self._measure(way, workload, kind) for way in self._ways}

    def _measure(self, way: str, workload: Workload, kind: str) -> Measured:
        write, same = self._ways[way], [Batch(workload.table, workload.rows(next(STATES)))]
        write(same)
        rows, spent, before = 0, 0.0, self._wal_bytes()
        while spent < self._seconds:
            batches = same if kind == "unchanged" else [Batch(workload.table, workload.rows(next(STATES)))]
            began = time.perf_counter()
            write(batches)
            spent += time.perf_counter() - began
            rows += len(batches[0].rows)
        return Measured(rows / spent, (self._wal_bytes() - before) / rows)

    def _wal_bytes(self) -> int:
        with self._single.cursor() as cursor:
            cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
            return int(cursor.fetchone()[0])

    def version(self) -> str:
        with self._single.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return cursor.fetchone()[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.upserts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3, help="for each measurement (3)")
    options = parser.parse_args()
    assert {workload.table.name for workload in WORKLOADS} < set(TABLES)
    titles = (
        "table",
        "rows are",
        *(f"{way}, rows/s" for way in ("ours", "batch", "single")),
        "ours : single",
        *(f"{way}, WAL bytes/row" for way in ("ours", "batch")),
    )
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        Stack(Path(folder), ("postgres", "postgres-schema")) as stack,
    ):
        bench, rows = Bench(dict(stack.environ), options.seconds), []
        for name, kind, by_way in bench.run():
            ours = by_way["ours"]
            cells = [f"{measured.rows_per_second:,.0f}" for measured in by_way.values()]
            factor = f"{ours.rows_per_second / by_way['single'].rows_per_second:.1f}"
            wal = [f"{by_way[way].wal_bytes_per_row:,.1f}" for way in ("ours", "batch")]
            rows.append((name, kind, *cells, factor, *wal))
        head = machine.head("python3 -m bench.upserts " + " ".join(sys.argv[1:]))
        publish("upserts", f"# Upserts into PostgreSQL {bench.version()}\n\n{head}\n{table(titles, rows)}")


if __name__ == "__main__":
    main()
