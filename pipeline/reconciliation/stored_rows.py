"""The rows of one table of Cassandra as bytes: by ranges, by partitions, by key. Knows CQL and the
driver; knows nothing of PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent
from cassandra.metadata import TableMetadata
from cassandra.query import PreparedStatement

from pipeline.cassandra_session import UNAVAILABLE_ERRORS
from pipeline.consumer.cql_collections import is_collection
from pipeline.consumer.cql_numbers import bigint
from pipeline.consumer.driver_internals import SerialisedRow
from pipeline.errors import StoreUnavailable
from pipeline.mirroring.cassandra_table import token_ranges
from pipeline.mirroring.source_table import quoted
from pipeline.reconciliation.raw_protocol import RawRow

READS_IN_FLIGHT = 64
SCAN_PARTS = 64
PROTOCOL_VERSION = 5


class Read(NamedTuple):
    """A query and the values of its marks, as bytes."""

    prepared: PreparedStatement
    values: Sequence[bytes | None]


class StoredTable:
    """One table. Rows are tuples: the columns of the key, then the `others`, in this order."""

    store = "Cassandra"

    def __init__(self, session: Session, table: TableMetadata, others: Sequence[str]) -> None:
        self._session = session
        self.table = table
        self.key = [column.name for column in table.primary_key]
        self.partition = [column.name for column in table.partition_key]
        self.others = list(others)
        self.columns = [*self.key, *self.others]
        self.ttl_seconds = int(table.options.get("default_time_to_live") or 0)
        self._name = f"{quoted(table.keyspace_name)}.{quoted(table.name)}"
        self._shown = ", ".join(map(quoted, self.columns))
        self._by_key = self.prepare(" AND ".join(f"{quoted(name)} = ?" for name in self.key))
        self._types = self._driver_types()
        self._canonical = {
            at: canonical(self._types[name], table.columns[name].cql_type)
            for at, name in enumerate(self.columns)
            if is_collection(self._types[name])
        }

    def prepare(self, where: str, shown: str = "", limit: str = "") -> PreparedStatement:
        """A SELECT of the table's rows. Raises StoreUnavailable."""
        try:
            return self._session.prepare(f"SELECT {shown or self._shown} FROM {self._name} WHERE {where} {limit}")
        except UNAVAILABLE_ERRORS as error:
            raise StoreUnavailable(f"cannot prepare a query of {self.table.name}: {error}") from error

    def _driver_types(self) -> dict[str, Any]:
        """By column, from the metadata of a result."""
        result = self._session.execute(f"SELECT {self._shown} FROM {self._name} LIMIT 1")
        return dict(zip(self.columns, result.column_types, strict=True))

    def driver_type(self, name: str) -> Any:
        return self._types[name]

    def value(self, name: str, raw: bytes | None) -> Any:
        """A column's value as the driver returns it."""
        return None if raw is None else self._types[name].from_binary(raw, PROTOCOL_VERSION)

    def partitions(self) -> list[RawRow]:
        """The partition keys that exist now."""
        shown = ", ".join(map(quoted, self.partition))
        return list(self._rows_of(f"SELECT DISTINCT {shown} FROM {self._name}"))

    def whole(self) -> list[Read]:
        """Reads that return every row."""
        token = f"token({', '.join(map(quoted, self.partition))})"
        prepared = self.prepare(f"{token} >= ? AND {token} <= ?")
        return [Read(prepared, tuple(map(bigint, part))) for part in token_ranges(SCAN_PARTS)]

    def pages(self, read: Read) -> Iterator[list[RawRow]]:
        """The rows of a read, a page at a time. Raises StoreUnavailable."""
        try:
            result = self._session.execute(SerialisedRow(read.prepared, read.values))
            while True:
                yield self.comparable(result.current_rows)
                if not result.has_more_pages:
                    return
                result.fetch_next_page()
        except UNAVAILABLE_ERRORS as error:
            raise StoreUnavailable(f"cannot read {self.table.name}: {error}") from error

    def first_rows(self, reads: Iterable[Read]) -> list[RawRow | None]:
        """The first row of each read, or None; a few reads at the same time."""
        requests = [(SerialisedRow(read.prepared, read.values), None) for read in reads]
        try:
            results = execute_concurrent(self._session, requests, READS_IN_FLIGHT)
            found = [next(iter(result.current_rows), None) for _, result in results]
        except UNAVAILABLE_ERRORS as error:
            raise StoreUnavailable(f"cannot read {self.table.name}: {error}") from error
        return [None if row is None else self.comparable([row])[0] for row in found]

    def by_key(self, keys: Iterable[RawRow]) -> list[RawRow | None]:
        return self.first_rows(Read(self._by_key, key) for key in keys)

    def comparable(self, rows: list[RawRow]) -> list[RawRow]:
        """Rows in which equal values are equal bytes."""
        if not self._canonical:
            return rows
        return [
            tuple(self._canonical[at](cell) if at in self._canonical else cell for at, cell in enumerate(row))
            for row in rows
        ]

    def _rows_of(self, statement: str) -> Iterator[RawRow]:
        try:
            yield from self._session.execute(statement)
        except UNAVAILABLE_ERRORS as error:
            raise StoreUnavailable(f"cannot read {self.table.name}: {error}") from error


def canonical(driver_type: Any, cql_type: str) -> Callable[[bytes | None], bytes | None]:
    """Cassandra keeps sets and maps in its own order, and an empty collection that is not frozen as
    null."""
    is_frozen = cql_type.startswith(("frozen<", "tuple<", "vector<"))
    has_order = "set<" not in cql_type and "map<" not in cql_type

    def convert(raw: bytes | None) -> bytes | None:
        if raw is None or (not is_frozen and raw[:4] == b"\0\0\0\0"):
            return None
        return raw if has_order else repr(driver_type.from_binary(raw, PROTOCOL_VERSION)).encode()

    return convert
