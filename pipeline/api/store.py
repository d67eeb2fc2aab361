"""Reads from Cassandra: prepared statements, times as epoch ms, errors of ours. Connects when first
needed and again after an outage. Knows CQL and the driver; knows nothing of HTTP."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cassandra.cluster import ResponseFuture, Session
from cassandra.query import PreparedStatement, dict_factory

from pipeline import cassandra_session
from pipeline.api import metrics
from pipeline.cassandra_session import UNAVAILABLE_ERRORS
from pipeline.errors import StoreUnavailable
from pipeline.outage import Outage
from pipeline.settings import Settings

log = logging.getLogger(__name__)

Row = dict[str, Any]

BUCKET = "hour"
# Of one request at a time: enough to keep one node busy, far below what makes it refuse.
IN_FLIGHT = 32
TIMEOUT_SECONDS = 4.0
# A store that is away is not looked for by every request: each would wait until the connection
# times out.
RECONNECT_SECONDS = 1.0


class Store:
    """One session, made lazily: not before gunicorn forks, and the API starts without a store."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[..., Session] = cassandra_session.connect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._clock = clock
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._not_before = 0.0
        self._prepared: dict[str, PreparedStatement] = {}
        self._outage = Outage("cassandra", log)
        self._lacking = Outage("cassandra_schema", log)

    def select(self, columns: str, table: str, where: str = "", values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a SELECT. `columns` comes from `columns_of` or is written by hand; `where` is
        all that follows the table's name. Raises StoreUnavailable."""
        return self.select_many(columns, table, where, [values])[0]

    def select_many(self, columns: str, table: str, where: str, many: Iterable[Sequence[Any]]) -> list[list[Row]]:
        """The rows of the same SELECT for each of `many` values, in their order, at most IN_FLIGHT
        at a time."""
        return self._run(f"SELECT {columns} FROM {self._settings.CASSANDRA_KEYSPACE}.{table} {where}", many)

    def columns_of(self, table: str) -> str:
        """A table's columns for a SELECT, times as epoch ms, without the hour that only names the
        partition. Raises StoreUnavailable while the table is not there."""
        keyspace = self._connected().cluster.metadata.keyspaces.get(self._settings.CASSANDRA_KEYSPACE)
        found = keyspace.tables.get(table) if keyspace else None
        if found is None:
            error = StoreUnavailable(f"no table {self._settings.CASSANDRA_KEYSPACE}.{table} in Cassandra yet")
            self._lacking.failed(error, 0)
            raise error
        self._lacking.over()
        return ", ".join(
            f'to_unix_timestamp("{name}") AS "{name}"' if column.cql_type == "timestamp" else f'"{name}"'
            for name, column in found.columns.items()
            if name != BUCKET
        )

    def answers(self) -> None:
        """Ask Cassandra something that it must answer. Raises StoreUnavailable."""
        self._run("SELECT release_version FROM system.local", [()])

    def _run(self, cql: str, many: Iterable[Sequence[Any]]) -> list[list[Row]]:
        session = self._connected()
        found: list[list[Row]] = []
        with self._watched():
            prepared = self._prepared.get(cql)
            if prepared is None:
                prepared = self._prepared[cql] = session.prepare(cql)
            waiting: deque[tuple[float, ResponseFuture]] = deque()
            for values in many:
                if len(waiting) == IN_FLIGHT:
                    found.append(rows_of(*waiting.popleft()))
                waiting.append((time.perf_counter(), session.execute_async(prepared, values, timeout=TIMEOUT_SECONDS)))
            found += [rows_of(*each) for each in waiting]
        return found

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Turns the driver's errors that mean "away" into StoreUnavailable, counts them and says it
        now and then."""
        try:
            yield
        except UNAVAILABLE_ERRORS as error:
            metrics.STORE_ERRORS.inc()
            self._outage.failed(error, 0)
            raise StoreUnavailable(str(error)) from error
        self._outage.over()

    def _connected(self) -> Session:
        if self._session is not None:
            return self._session
        if not self._lock.acquire(timeout=TIMEOUT_SECONDS):
            raise StoreUnavailable("still connecting")
        try:
            if self._session is None:
                if self._clock() < self._not_before:
                    raise StoreUnavailable("could not connect a moment ago")
                try:
                    self._session = self._connect(self._settings, dict_factory)
                except StoreUnavailable as error:
                    metrics.STORE_ERRORS.inc()
                    self._outage.failed(error, RECONNECT_SECONDS)
                    self._not_before = self._clock() + RECONNECT_SECONDS
                    raise
            return self._session
        finally:
            self._lock.release()


def rows_of(sent_at: float, future: ResponseFuture) -> list[Row]:
    rows = list(future.result())
    metrics.STORE_SECONDS.observe(time.perf_counter() - sent_at)
    return rows
