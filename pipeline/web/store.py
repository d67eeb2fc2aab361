"""Reads from Cassandra: prepared statements, times as epoch ms, errors of ours. Connects when first needed and again
after an outage. Knows CQL and the driver; knows nothing of HTTP."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from cassandra.cluster import Session
from cassandra.query import PreparedStatement, dict_factory

from pipeline import cassandra
from pipeline.cassandra import AWAY
from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings

Row = dict[str, Any]

BUCKET = "hour"


class Store:
    """One session, made lazily: not before gunicorn forks, and the API starts without a store."""

    def __init__(self, settings: Settings, connect: Callable[..., Session] = cassandra.connect) -> None:
        self._settings, self._connect = settings, connect
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._prepared: dict[str, PreparedStatement] = {}

    def select(self, columns: str, table: str, where: str = "", values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a SELECT. `columns` comes from `columns_of` or is written by hand; `where` is all that follows
        the table's name. Raises StoreUnavailable."""
        return self._run(f"SELECT {columns} FROM {self._settings.CASSANDRA_KEYSPACE}.{table} {where}", values)

    def columns_of(self, table: str) -> str:
        """A table's columns for a SELECT, times as epoch ms, without the hour that only names the partition. Raises
        StoreUnavailable while the table is not there."""
        keyspace = self._connected().cluster.metadata.keyspaces.get(self._settings.CASSANDRA_KEYSPACE)
        found = keyspace.tables.get(table) if keyspace else None
        if found is None:
            raise StoreUnavailable(f"no table {self._settings.CASSANDRA_KEYSPACE}.{table} in Cassandra yet")
        return ", ".join(
            f'to_unix_timestamp("{name}") AS "{name}"' if column.cql_type == "timestamp" else f'"{name}"'
            for name, column in found.columns.items()
            if name != BUCKET
        )

    def answers(self) -> None:
        """Ask Cassandra something that it must answer. Raises StoreUnavailable."""
        self._run("SELECT release_version FROM system.local", ())

    def _run(self, cql: str, values: Sequence[Any]) -> list[Row]:
        session = self._connected()
        try:
            prepared = self._prepared.get(cql)
            if prepared is None:
                prepared = self._prepared[cql] = session.prepare(cql)
            return list(session.execute(prepared, values))
        except AWAY as error:
            raise StoreUnavailable(str(error)) from error

    def _connected(self) -> Session:
        if self._session is None:
            with self._lock:
                if self._session is None:
                    self._session = self._connect(self._settings, dict_factory)
        return self._session
