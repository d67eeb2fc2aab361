"""What a million changes cost each part of the chain: CPU seconds, and bytes in PostgreSQL's log,
in Kafka and on Cassandra's disk. From these, docs/scaling.md calculates how many of each are
needed.

    .local/venv/bin/python -m bench.footprint [--changes 150000]

Changes are committed in transactions of 400, as fast as the chain takes them."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from bench import machine
from bench.consuming import cpu_seconds, full_speed_servers, records_done
from bench.database import connect
from bench.results import publish, table
from bench.worksheet import BUSY_ONE_CORE, BUSY_SERVER, MIX, Cost, mixed, one_core_limit, worksheet
from local.stack import CHAIN, Stack
from pipeline.tables import BOOKS, PRICES, TRADES

SERVICES = (*CHAIN, "consumer")
PARTS = {
    "PostgreSQL": "postgres",
    "Connect": "connect",
    "Kafka": "kafka",
    "consumer": "consumer",
    "Cassandra": "cassandra",
}
# The process of PostgreSQL that reads the log for the slot: there is one, on one core.
DECODING = "of it PostgreSQL's decoding"
PER_TRANSACTION = 400
SYMBOLS = 400
BOOK_SIDE = "[" + ",".join(f"[{price}.25,1.5]" for price in range(60_000, 60_020)) + "]"
MILLION = 1_000_000
# A fifth of the changes before, until the compilers have done most.
WARM_UP_PART = 5
MAX_WAIT_SECONDS = 300

Rows = Callable[[int], tuple[object, ...]]


class Kind(NamedTuple):
    """`values`: of the row with this number."""

    table: str
    sql: str
    template: str
    values: Rows


KINDS = {
    "trades (inserted)": Kind(
        TRADES.name,
        "INSERT INTO recent_trades VALUES %s",
        "(%s, %s, clock_timestamp(), 61234.56, 0.01234, 755.6344704, true, 1, 1)",
        lambda number: (symbol(number), number),
    ),
    "prices (updated, with history)": Kind(
        PRICES.name,
        "INSERT INTO latest_prices VALUES %s ON CONFLICT (symbol) DO UPDATE"
        " SET price = excluded.price, updated_at = excluded.updated_at",
        "(%s, %s, clock_timestamp())",
        lambda number: (symbol(number), 60_000 + number),
    ),
    "order books of 20 levels (updated, with history)": Kind(
        BOOKS.name,
        "INSERT INTO order_book (symbol, last_update_id, bids, asks, updated_at) VALUES %s ON CONFLICT (symbol) DO"
        " UPDATE SET last_update_id = excluded.last_update_id, updated_at = excluded.updated_at",
        f"(%s, %s, '{BOOK_SIDE}', '{BOOK_SIDE}', clock_timestamp())",
        lambda number: (symbol(number), number),
    ),
}


class Used(NamedTuple):
    """`cpu`: seconds by part. `wal`: bytes in PostgreSQL's log, ever."""

    cpu: dict[str, float]
    wal: int


class Measured(NamedTuple):
    """Changes per second; CPU seconds per million by part; bytes of log per change."""

    rate: float
    cpu: dict[str, float]
    log_bytes: float


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.footprint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=150_000, help="of each kind (150,000)")
    options = parser.parse_args()
    full_speed_servers()
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), SERVICES) as stack:
        connection = connect(stack.environ, superuser=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT create_trade_day(current_date), create_trade_day(current_date + 1)")
        measured = {name: measure(stack, connection, kind, options.changes) for name, kind in KINDS.items()}
        connection.close()
        flush(stack)
        costs = [
            Cost(each.cpu, each.log_bytes, *stored(stack.state_dir, KINDS[name], options.changes))
            for name, each in measured.items()
        ]
    publish("footprint", report({name: each.rate for name, each in measured.items()}, costs))


def measure(stack: Stack, connection: Connection, kind: Kind, count: int) -> Measured:
    change(stack, connection, kind, range(-count // WARM_UP_PART, 0))
    before, began = used(stack, connection), time.monotonic()
    change(stack, connection, kind, range(count))
    seconds, after = time.monotonic() - began, used(stack, connection)
    cpu = {part: (after.cpu[part] - before.cpu[part]) * MILLION / count for part in after.cpu}
    return Measured(count / seconds, cpu, (after.wal - before.wal) / count)


def stored(state_dir: Path, kind: Kind, count: int) -> tuple[float, float]:
    """Bytes per change in Kafka and in Cassandra."""
    changes = count + count // WARM_UP_PART
    in_kafka = size(state_dir / "kafka" / "data", f"crypto.public.{kind.table}-*/*.log")
    in_cassandra = size(state_dir / "cassandra" / "data", f"data/crypto/{kind.table}-*/*-Data.db")
    return in_kafka / changes, in_cassandra / changes


def report(rates: dict[str, float], costs: list[Cost]) -> str:
    cpu_rows = [
        (name, f"{rate:,.0f}", *(f"{cost.cpu[part]:.0f}" for part in (*PARTS, DECODING)))
        for (name, rate), cost in zip(rates.items(), costs)
    ]
    byte_rows = [(name, *(f"{each:,.0f}" for each in cost[1:])) for name, cost in zip(rates, costs)]
    mix = ", ".join(f"{share:.0%} {name.split(' (')[0]}" for share, name in zip(MIX, rates))
    cost = mixed(costs)
    return (
        f"# What a million changes cost\n\n{machine.head('python3 -m bench.footprint ' + ' '.join(sys.argv[1:]))}\n"
        f"CPU seconds per million changes, the whole chain on this machine; PostgreSQL's include the commits:\n\n"
        f"{table(('changes', 'changes/s', *PARTS, DECODING), cpu_rows)}\n"
        f"Bytes per change: in PostgreSQL's log, in Kafka's segments (one copy), in Cassandra's tables after a flush "
        f"(one copy, compressed, before compaction):\n\n"
        f"{table(('changes', 'log', 'Kafka', 'Cassandra'), byte_rows)}\n"
        f"What follows for {mix}, if what runs on one core is busy for {BUSY_ONE_CORE:.0%} of its time and a server "
        f"for {BUSY_SERVER:.0%}. A consumer writes {one_core_limit(cost, 'consumer'):,.0f}/s, a connector sends "
        f"{one_core_limit(cost, 'Connect'):,.0f}/s, PostgreSQL decodes {one_core_limit(cost, DECODING):,.0f}/s for a "
        f"slot:\n\n{worksheet(cost, DECODING)}"
    )


def symbol(number: int) -> str:
    return f"F{number % SYMBOLS:03}USDT"


def change(stack: Stack, connection: Connection, kind: Kind, numbers: range) -> None:
    """Commits the rows with these numbers, and waits until all are in Cassandra."""
    expected = records_done(stack.ports.consumer_metrics) + len(numbers)
    with connection.cursor() as cursor:
        for start in range(numbers.start, numbers.stop, PER_TRANSACTION):
            part = range(start, min(start + PER_TRANSACTION, numbers.stop))
            execute_values(cursor, kind.sql, [kind.values(each) for each in part], kind.template, len(part))
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while records_done(stack.ports.consumer_metrics) < expected:
        assert time.monotonic() < deadline, "the consumer does not get all records"
        time.sleep(0.1)


def used(stack: Stack, connection: Connection) -> Used:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        (wal,) = cursor.fetchone()
        cursor.execute("SELECT active_pid FROM pg_replication_slots WHERE active")
        (decoding,) = cursor.fetchone()
    spent = {part: cpu_with_children(stack.pid(name)) for part, name in PARTS.items()}
    return Used({**spent, DECODING: cpu_seconds(decoding)}, wal)


def cpu_with_children(pid: int) -> float:
    """PostgreSQL has a process per connection; those that have ended count with it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_seconds(pid) + ended + sum(map(cpu_seconds, map(int, children)))


def size(folder: Path, pattern: str) -> int:
    return sum(each.stat().st_size for each in folder.glob(pattern))


def flush(stack: Stack) -> None:
    """A Cassandra that was killed writes what was in its memory into tables when it starts."""
    stack.kill("cassandra", signal.SIGKILL)
    stack.start_service("cassandra")
    stack.wait_ready("cassandra")


if __name__ == "__main__":
    main()
