"""Simulated exchange, producer and PostgreSQL as real processes, each of which can be killed and
started again. Knows how to disturb them; the tests decide when."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2

from local.ports import free_ports
from local.stack import Stack
from tests.support.producer_faults.exchange import SimulatedExchange, facts
from tests.support.program import Program
from tests.support.waiting import wait_until

AUDIT = Path(__file__).with_name("audit.sql")
TABLES = (
    "latest_prices",
    "crypto_24h_stats",
    "order_book",
    "recent_trades",
    "klines",
    "trade_positions",
    "instruments",
    "data_source",
    "exchange_ban",
)
# Only a failing test waits this long; a busy machine needs some of it.
MAX_WAIT_SECONDS = 60.0
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT")


def children(parent: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


class World:
    """`environ` overrides settings of the producer. PostgreSQL belongs to the caller and is left
    running."""

    def __init__(self, stack: Stack, folder: Path, symbols: int = 40, weight_limit: int = 6000, **environ: str) -> None:
        sim_port, self.metrics_port = free_ports(2)
        folder.mkdir(parents=True, exist_ok=True)
        self.stack = stack
        self.folder = folder
        self.environ = environ
        self.exchange = SimulatedExchange(folder, dict(stack.environ), sim_port, symbols, weight_limit)
        self.log = folder / "producer.log"
        self._producer: Program | None = None

    # --- producer

    @property
    def producer(self) -> Program:
        assert self._producer is not None, "no producer was started"
        return self._producer

    def start_producer(self, **environ: str) -> Program:
        settings = {
            "BINANCE_BASE_URL": self.exchange.url,
            "SYMBOLS": ",".join(SYMBOLS),
            "METRICS_PORT": str(self.metrics_port),
            **self.environ,
            **environ,
        }
        self._producer = Program(
            ["producer_binance.py"], {**self.stack.environ, **settings}, self.log, self.metrics_port
        )
        return self._producer

    @contextmanager
    def running(self, **environ: str) -> Iterator[Program]:
        """A producer that is stopped at the end and must not end before."""
        producer = self.start_producer(**environ)
        try:
            yield producer
            assert self.is_alive(), f"the producer ended by itself with {producer.process.poll()}:\n{self.output()}"
        finally:
            if self.is_alive():
                self.producer.stop()

    def stop_producer(self) -> tuple[int, float]:
        """SIGTERM, once it is up (before, Python itself would end). Returns the exit code and the
        seconds it took."""
        wait_until(lambda: self.producer.metric("python_info") > 0, MAX_WAIT_SECONDS, "the producer's metrics")
        began = time.monotonic()
        return self.producer.stop(), time.monotonic() - began

    def is_alive(self) -> bool:
        return self.producer.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def logged(self, event: str) -> list[dict[str, str]]:
        """The fields of every log line of this event, with its time as `at`, from all producers of
        this world."""
        lines = re.findall(rf"^(\S+) \w+ +\S+ {event}( .*|)$", self.output(), flags=re.MULTILINE)
        return [{"at": at, **facts(rest)} for at, rest in lines]

    # --- PostgreSQL

    def kill_postgres(self) -> None:
        self.stack.kill("postgres", signal.SIGKILL)

    def stop_postgres(self) -> None:
        self.stack.stop_service("postgres")

    def start_postgres(self) -> None:
        self.stack.start_service("postgres")
        self.stack.wait_ready("postgres")

    def freeze_postgres(self, frozen: bool) -> None:
        """Each connection has its own process, in its own process group."""
        server = self.stack.pid("postgres")
        for pid in (server, *children(server)):
            with suppress(ProcessLookupError):  # an autovacuum worker has ended
                os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def connect(self) -> psycopg2.extensions.connection:
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.stack.environ["PGPORT"],
            dbname="market",
            user="postgres",
            password="postgres",
            options="-c timezone=UTC",
        )
        connection.autocommit = True
        return connection

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, sql: str, *parameters: Any) -> Any:
        return self.rows(sql, *parameters)[0][0]

    def empty(self) -> None:
        """No rows, as after the first start, and every write audited."""
        self.rows(AUDIT.read_text(encoding="utf-8"))
        self.rows(f"TRUNCATE {', '.join(TABLES)}, audit")

    # --- waiting

    def wait_for_rows(self, table: str, at_least: int = 1, seconds: float = MAX_WAIT_SECONDS) -> None:
        def enough() -> object:
            count = self.value(f"SELECT count(*) FROM {table}")
            return count >= at_least or count

        wait_until(enough, seconds, f"{at_least} rows of {table}; {self.log}")

    def wait_until(self, true_sql: str, *parameters: Any, seconds: float = MAX_WAIT_SECONDS) -> None:
        wait_until(lambda: self.value(true_sql, *parameters), seconds, f"{true_sql} {parameters}; {self.log}")

    def wait_for_trades(self, symbol: str, until_ms: int, seconds: float = MAX_WAIT_SECONDS) -> None:
        """Until every trade up to this time is stored."""
        newest_id = self.exchange.newest_id(symbol, until_ms)
        self.wait_until(
            "SELECT coalesce(max(last_trade_id), 0) >= %s FROM trade_positions WHERE symbol = %s",
            newest_id,
            symbol,
            seconds=seconds,
        )

    def wait_until_logged(self, event: str, times: int = 1, seconds: float = MAX_WAIT_SECONDS) -> None:
        wait_until(lambda: len(self.logged(event)) >= times or self.output()[-1500:], seconds, f"{times} × {event}")

    def end_producer(self) -> None:
        if self._producer is not None and self.is_alive():
            self._producer.kill()

    def close(self) -> None:
        self.end_producer()
        self.exchange.stop()
