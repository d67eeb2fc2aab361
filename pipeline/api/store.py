"""Reads from Cassandra: prepared statements, times as epoch ms, the driver's errors as
StoreUnavailable. Connects when first needed. Knows CQL and the driver; knows nothing of HTTP."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from cassandra.cluster import ResponseFuture, Session
from cassandra.protocol import ProtocolException
from cassandra.query import PreparedStatement, dict_factory

from pipeline import cassandra_session
from pipeline.api import metrics
from pipeline.api.driver_times import with_epoch_ms
from pipeline.api.table_key import TableKey, plain_type
from pipeline.cassandra_session import REFUSED_ERRORS, UNAVAILABLE_ERRORS
from pipeline.errors import StoreUnavailable
from pipeline.outage import Outage
from pipeline.settings import Settings

log = logging.getLogger(__name__)

Row = dict[str, Any]
Connect = Callable[[Settings, object], Session]

# The column that only names the partition; clients do not need it.
HOUR = "hour"
# Statements of one request at the same time: enough to keep one node busy, far below what makes it
# refuse.
MAX_IN_FLIGHT = 32
TIMEOUT_SECONDS = 4.0
# While Cassandra is unavailable, only one request per this time tries to connect; each try may take
# until the connection times out.
RECONNECT_SECONDS = 1.0


class BadPagingState(Exception):
    """Cassandra does not know the place where a page should begin."""


class CurrentStateOnly(StoreUnavailable):
    """Cassandra does not answer, but Redis does: the current state is served, history is not."""


class StorePage(NamedTuple):
    """`paging_state`: where the next page begins; None if there are no more rows."""

    rows: list[Row]
    paging_state: bytes | None = None


class Store(Protocol):
    """What the API reads from. Every method may raise StoreUnavailable."""

    def select(self, columns: str, table: str, where: str = "", values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a SELECT. `columns` comes from `columns_of` or is written by hand; `where` is
        everything that follows the table's name."""
        ...

    def select_many(self, columns: str, table: str, where: str, many: Iterable[Sequence[Any]]) -> list[list[Row]]:
        """The rows of the same SELECT for each of `many` values, in their order."""
        ...

    def columns_of(self, table: str) -> str:
        """A table's columns for a SELECT, without HOUR."""
        ...

    def tables(self) -> list[TableKey]:
        """The tables of the keyspace as they are now."""
        ...

    def select_page(
        self,
        columns: str,
        table: str,
        where: str,
        values: Sequence[Any],
        limit: int,
        paging_state: bytes | None = None,
    ) -> StorePage:
        """At most `limit` rows of a SELECT, from `paging_state` on. Raises BadPagingState."""
        ...

    def check(self) -> None:
        """Read something that is always there."""
        ...


class CassandraStore:
    """A Store with one session, which is created with the first read: gunicorn has forked by then,
    and the API starts without Cassandra."""

    def __init__(
        self,
        settings: Settings,
        connect: Connect = cassandra_session.connect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._clock = clock
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._connect_not_before = 0.0
        self._prepared: dict[str, PreparedStatement] = {}
        self._outage = Outage("cassandra", log)
        self._missing_table = Outage("cassandra_schema", log)

    def select(self, columns: str, table: str, where: str = "", values: Sequence[Any] = ()) -> list[Row]:
        return self.select_many(columns, table, where, [values])[0]

    def select_many(self, columns: str, table: str, where: str, many: Iterable[Sequence[Any]]) -> list[list[Row]]:
        """At most MAX_IN_FLIGHT statements run at the same time."""
        return self._run(f"SELECT {columns} FROM {self._settings.CASSANDRA_KEYSPACE}.{table} {where}", many)

    def columns_of(self, table: str) -> str:
        """Raises StoreUnavailable also while the table does not exist."""
        keyspace = self._connected().cluster.metadata.keyspaces.get(self._settings.CASSANDRA_KEYSPACE)
        found = keyspace.tables.get(table) if keyspace else None
        if found is None:
            error = StoreUnavailable(f"no table {self._settings.CASSANDRA_KEYSPACE}.{table} in Cassandra yet")
            self._missing_table.failed(error, 0)
            raise error
        self._missing_table.over()
        if HOUR not in found.columns:
            return "*"  # a third less work for Cassandra than the same columns by name
        return ", ".join(f'"{name}"' for name in found.columns if name != HOUR)

    def tables(self) -> list[TableKey]:
        """From the driver's metadata, which Cassandra keeps up to date."""
        keyspace = self._connected().cluster.metadata.keyspaces.get(self._settings.CASSANDRA_KEYSPACE)
        return [
            TableKey(
                name,
                {column.name: plain_type(column.cql_type) for column in table.columns.values()},
                tuple(column.name for column in table.partition_key),
                tuple((column.name, column.is_reversed) for column in table.clustering_key),
                table.options.get("comment") or "",
            )
            for name, table in (dict(keyspace.tables) if keyspace else {}).items()
        ]

    def select_page(
        self,
        columns: str,
        table: str,
        where: str,
        values: Sequence[Any],
        limit: int,
        paging_state: bytes | None = None,
    ) -> StorePage:
        """Where the page is full, one more row is read: Cassandra also names a next page when the
        last row ends this one."""
        cql = f"SELECT {columns} FROM {self._settings.CASSANDRA_KEYSPACE}.{table} {where}"
        page = self._page(cql, values, limit, paging_state)
        if page.paging_state is not None and not self._page(cql, values, 1, page.paging_state).rows:
            return StorePage(page.rows)
        return page

    def _page(self, cql: str, values: Sequence[Any], limit: int, paging_state: bytes | None) -> StorePage:
        session = self._connected()
        with self._outage_watched():
            try:
                bound = self._statement(session, cql).bind(values)
                bound.fetch_size = limit
                sent_at = time.perf_counter()
                result = session.execute_async(bound, timeout=TIMEOUT_SECONDS, paging_state=paging_state).result()
            except ProtocolException as error:
                raise BadPagingState(str(error)) from error
            except REFUSED_ERRORS as error:
                # The table has been changed or dropped since it was looked up.
                self._prepared.pop(cql, None)
                raise StoreUnavailable(str(error)) from error
            metrics.STORE_SECONDS.observe(time.perf_counter() - sent_at)
            return StorePage(list(result.current_rows), result.paging_state if result.has_more_pages else None)

    def check(self) -> None:
        self._run("SELECT release_version FROM system.local", [()])

    def _run(self, cql: str, many: Iterable[Sequence[Any]]) -> list[list[Row]]:
        session = self._connected()
        found: list[list[Row]] = []
        with self._outage_watched():
            prepared = self._statement(session, cql)
            in_flight: deque[tuple[float, ResponseFuture]] = deque()
            for values in many:
                if len(in_flight) == MAX_IN_FLIGHT:
                    found.append(rows_of(*in_flight.popleft()))
                sent_at = time.perf_counter()
                in_flight.append((sent_at, session.execute_async(prepared, values, timeout=TIMEOUT_SECONDS)))
            found += [rows_of(*each) for each in in_flight]
        return found

    def _statement(self, session: Session, cql: str) -> PreparedStatement:
        prepared = self._prepared.get(cql)
        if prepared is None:
            prepared = self._prepared[cql] = session.prepare(cql)
            prepared.is_idempotent = True  # another node may be asked as well (cassandra_session)
        return prepared

    @contextmanager
    def _outage_watched(self) -> Iterator[None]:
        """Turns the driver's errors that mean "unavailable" into StoreUnavailable, counts them and
        logs the outage."""
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
                if self._clock() < self._connect_not_before:
                    raise StoreUnavailable("the last try to connect failed less than a second ago")
                try:
                    self._session = with_epoch_ms(self._connect(self._settings, dict_factory))
                except StoreUnavailable as error:
                    metrics.STORE_ERRORS.inc()
                    self._outage.failed(error, RECONNECT_SECONDS)
                    self._connect_not_before = self._clock() + RECONNECT_SECONDS
                    raise
            return self._session
        finally:
            self._lock.release()


def rows_of(sent_at: float, future: ResponseFuture) -> list[Row]:
    """Wait for the rows of a statement and record how long they took."""
    rows = list(future.result())
    metrics.STORE_SECONDS.observe(time.perf_counter() - sent_at)
    return rows
