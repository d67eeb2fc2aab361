"""The mirrored table in Cassandra: its description, its number of rows, rows by key. Knows the
driver; knows nothing of PostgreSQL."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from cassandra import InvalidRequest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session
from cassandra.concurrent import execute_concurrent_with_args

from pipeline.mirroring.columns import TargetTable
from pipeline.mirroring.keys import Key
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import quoted

MIN_TOKEN, MAX_TOKEN = -(2**63), 2**63 - 1
# Rows are counted in so many parts of the token range, a few at the same time: a count of a million
# rows at once exceeds Cassandra's time limit.
COUNT_PARTS = 64
COUNTS_IN_FLIGHT = 4
COUNT_TIMEOUT_SECONDS = 120
READS_IN_FLIGHT = 32


class CassandraTable:
    """One table of the keyspace, through an administrator's session."""

    def __init__(self, session: Session, keyspace: str, name: str) -> None:
        self._session = session
        self._keyspace = keyspace
        self._name = name

    @property
    def cql_name(self) -> str:
        return f"{self._keyspace}.{quoted(self._name)}"

    def describe(self) -> TargetTable | None:
        """The table as it is, or None. Raises MirrorRefused for one that cannot take rows."""
        cluster = self._session.cluster
        keyspace = cluster.metadata.keyspaces.get(self._keyspace)
        if keyspace is None:
            raise MirrorRefused(
                f"Cassandra has no keyspace {self._keyspace}: start the stack, or python3 -m pipeline.schema cassandra"
            )
        table = keyspace.tables.get(self._name)
        if table is None:
            if self._name in keyspace.views:
                raise MirrorRefused(f"{self.cql_name} is a materialized view, which takes no rows: drop it")
            return None
        columns = {name: column.cql_type for name, column in table.columns.items()}
        counters = [name for name, kind in columns.items() if kind == "counter"]
        if counters:
            raise MirrorRefused(
                f"{self.cql_name} has the counter column {counters[0]}; counters only add, they cannot hold a value: "
                f"DROP TABLE {self.cql_name}"
            )
        key = Key(
            tuple(column.name for column in table.partition_key),
            tuple(column.name for column in table.clustering_key),
        )
        return TargetTable(key, columns, table.options.get("comment") or "")

    def run(self, statement: str) -> None:
        """A CREATE or ALTER. Raises MirrorRefused with Cassandra's reason."""
        try:
            self._session.execute(statement, timeout=60)
        except InvalidRequest as error:
            raise MirrorRefused(f"Cassandra refuses: {error}. The statement: {statement}") from error

    def count(self, partition: Sequence[str]) -> int:
        """The number of rows, by ranges of the partition key's token."""
        token = f"token({', '.join(map(quoted, partition))})"
        counted = self._session.prepare(
            f"SELECT count(*) AS rows FROM {self.cql_name} WHERE {token} >= ? AND {token} <= ?"
        )
        found = self._concurrently(counted, token_ranges(COUNT_PARTS), COUNTS_IN_FLIGHT, COUNT_TIMEOUT_SECONDS)
        return sum(rows[0]["rows"] for rows in found)

    def rows_by_key(
        self, key: Key, columns: dict[str, str], keys: Iterable[Sequence[Any]]
    ) -> list[dict[str, Any] | None]:
        """The row of each key, or None; `columns`: name to CQL type. A timestamp is ms since
        1970."""
        names = {f"c{number}": name for number, name in enumerate(columns)}
        shown = ", ".join(
            f"to_unix_timestamp({quoted(name)}) AS {alias}"
            if columns[name] == "timestamp"
            else f"{quoted(name)} AS {alias}"
            for alias, name in names.items()
        )
        where = " AND ".join(f"{quoted(name)} = ?" for name in key.columns)
        prepared = self._session.prepare(f"SELECT {shown} FROM {self.cql_name} WHERE {where}")
        found = self._concurrently(prepared, keys, READS_IN_FLIGHT, 30)
        return [{names[alias]: value for alias, value in rows[0].items()} if rows else None for rows in found]

    def _concurrently(
        self, prepared: Any, arguments: Iterable[Sequence[Any]], in_flight: int, timeout_seconds: float
    ) -> list[list[dict[str, Any]]]:
        profile = self._session.execution_profile_clone_update(EXEC_PROFILE_DEFAULT, request_timeout=timeout_seconds)
        results = execute_concurrent_with_args(
            self._session, prepared, list(arguments), concurrency=in_flight, execution_profile=profile
        )
        return [list(result.result_or_exc) for result in results]


def token_ranges(parts: int) -> list[tuple[int, int]]:
    """The whole token range in `parts` neighbouring ranges, both ends inclusive."""
    step = math.ceil((MAX_TOKEN - MIN_TOKEN + 1) / parts)
    starts = range(MIN_TOKEN, MAX_TOKEN, step)
    return [(start, min(start + step - 1, MAX_TOKEN)) for start in starts]
