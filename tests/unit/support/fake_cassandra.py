"""A Cassandra session without Cassandra: the schema of cql/020_tables.cql as the driver's own
metadata, with the driver's types, and statements prepared by parsing their text. Knows nothing of
what is done with them."""

import re
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from cassandra import cqltypes
from cassandra.metadata import ColumnMetadata, KeyspaceMetadata, TableMetadata
from cassandra.protocol import ColumnMetadata as BoundColumn

from tests.unit.support.ddl import CQL_TABLES, DeclaredTable, declared_tables

KEYSPACE = "crypto"
POINT_FIELDS = (cqltypes.DoubleType, cqltypes.DoubleType)
USER_TYPES = {"point_type": cqltypes.UserType.make_udt_class(KEYSPACE, "point_type", ("x", "y"), POINT_FIELDS)}


def driver_type(cql_type: str) -> Any:
    """`frozen<list<tuple<double, double>>>` as the type in a prepared statement's metadata (frozen
    is not in the protocol)."""
    match = re.fullmatch(r"(\w+)\s*<(.*)>", cql_type.strip(), flags=re.DOTALL)
    if cql_type.strip() in USER_TYPES:
        return USER_TYPES[cql_type.strip()]
    if match is None:
        return cqltypes.lookup_casstype(cqltypes._cqltypes[cql_type.strip()].cass_parameterized_type(full=True))
    if match[1] == "vector":
        subtype, size = _split(match[2])
        return type("vector", (cqltypes.VectorType,), {"subtype": driver_type(subtype), "vector_size": int(size)})
    inner = [driver_type(part) for part in _split(match[2])]
    if match[1] == "frozen":
        return inner[0]
    return cqltypes._cqltypes[match[1]].apply_parameters(inner)


def _split(text: str) -> list[str]:
    parts, depth, part = [], 0, ""
    for character in text:
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [*parts, part]


def table_metadata(declared: DeclaredTable) -> TableMetadata:
    table = TableMetadata(KEYSPACE, declared.name)
    for name, kind in declared.columns.items():
        table.columns[name] = ColumnMetadata(table, name, kind)
    table.partition_key = [table.columns[name] for name in declared.partition]
    table.clustering_key = [table.columns[name] for name in declared.key if name not in declared.partition]
    return table


class FakeFuture:
    """What execute_async returns; it is done at once, or when `answer` is called."""

    # The driver's ResultSet reads these.
    _col_names = _col_types = None
    has_more_pages = False

    def __init__(self, error: Exception | None, is_held: bool = False) -> None:
        self._error = error
        self._is_held = is_held

    def add_callbacks(self, callback: Callable, errback: Callable, callback_args=(), errback_args=(), **_: Any) -> None:
        if self._error is None:
            self._call = partial(callback, [], *callback_args)
        else:
            self._call = partial(errback, self._error, *errback_args)
        if not self._is_held:
            self._call()

    def answer(self) -> None:
        self._call()

    def clear_callbacks(self) -> None:
        pass


class FakeRows:
    """What `execute` returns: the rows in pages of two."""

    def __init__(self, rows: list[tuple]) -> None:
        self._rows = rows

    def __iter__(self) -> Any:
        return iter(self._rows)

    @property
    def current_rows(self) -> list[tuple]:
        return self._rows[:2]

    @property
    def has_more_pages(self) -> bool:
        return len(self._rows) > 2

    def fetch_next_page(self) -> None:
        self._rows = self._rows[2:]


class FakeSession:
    """`declared`: the tables. `outcome(statement)` returns the error of a request, or None:
    confirmed; `probed` does so for requests that are waited for. `sent`: the others, in order."""

    def __init__(self, declared: dict[str, DeclaredTable] | None = None) -> None:
        self._keyspace = KeyspaceMetadata(KEYSPACE, True, "SimpleStrategy", {"replication_factor": "1"})
        self.cluster = SimpleNamespace(
            metadata=SimpleNamespace(keyspaces={KEYSPACE: self._keyspace}),
            refresh_table_metadata=self._refresh_table_metadata,
        )
        self._declared: dict[str, DeclaredTable] = {}
        self.refresh_error: Exception | None = None
        self.prepared: list[str] = []
        self.prepare_error: Exception | None = None
        self.outcome: Callable[[Any], Exception | None] = lambda _statement: None
        self.sent: list[Any] = []
        self.sent_values: list[Any] = []
        # With `is_holding`, requests are answered when a test calls `held[n].answer()`.
        self.is_holding = False
        self._pools: dict[Any, Any] = {}  # no connection: the driver is left to send everything
        self.held: list[FakeFuture] = []
        # What `execute` returns, by the name of the table in a query; and what it was called with.
        self.rows: dict[str, list[tuple]] = {}
        self.executed: list[tuple[str, Any]] = []
        self.execute_error: Exception | None = None
        self.probed: Callable[[Any], Exception | None] = lambda _statement: None
        for table in (declared_tables(CQL_TABLES) if declared is None else declared).values():
            self.declare(table)

    def declare(self, table: DeclaredTable, driver_notified: bool = True) -> None:
        """Create or alter a table. Without `driver_notified`, the driver's metadata stay
        unchanged."""
        self._declared[table.name] = table
        if driver_notified:
            self._refresh_table_metadata(KEYSPACE, table.name)

    def _refresh_table_metadata(self, _keyspace: str, name: str) -> None:
        """Like the driver's: always a new metadata object, even if nothing has changed."""
        if self.refresh_error is not None:
            raise self.refresh_error
        self._keyspace.tables[name] = table_metadata(self._declared[name])

    def prepare(self, cql: str) -> SimpleNamespace:
        if self.prepare_error is not None:
            raise self.prepare_error
        self.prepared.append(cql)
        name = re.search(r'"crypto"\."(\w+)"', cql)[1]
        columns = self._keyspace.tables[name].columns
        insert = re.search(r"INSERT INTO \S+ \((.*?)\)", cql)
        marked = insert[1] if insert else ""
        rest = cql[insert.end() :] if insert else cql
        names = re.findall(r'"(\w+)"', marked)
        names += [match[1] or "[timestamp]" for match in re.finditer(r'"(\w+)" = \?|USING TIMESTAMP \?', rest)]
        types = [cqltypes.LongType if n == "[timestamp]" else driver_type(columns[n].cql_type) for n in names]
        bound = [BoundColumn(KEYSPACE, name, n, kind) for n, kind in zip(names, types)]
        # The driver's BatchStatement reads these from a prepared statement.
        routing = {"routing_key_indexes": None, "serial_consistency_level": None, "custom_payload": None}
        return SimpleNamespace(column_metadata=bound, query_string=cql, names=names, query_id=cql.encode(), **routing)

    def execute(self, query: Any, values: Any = None) -> "FakeRows":
        if not isinstance(query, str) and not hasattr(query, "query_string"):
            error = self.probed(query)
            if error is not None:
                raise error
            return FakeRows([])
        text = query if isinstance(query, str) else query.query_string
        if self.execute_error is not None:
            raise self.execute_error
        self.executed.append((text, values))
        name = re.search(r'(?:FROM|INTO) "?crypto"?\."?(\w+)', text)[1]
        return FakeRows(self.rows.get(name, []) if text.startswith("SELECT") else [])

    def execute_async(self, statement: Any, values: Any = None, *_: Any, **__: Any) -> FakeFuture:
        self.sent.append(statement)
        self.sent_values.append(values)
        future = FakeFuture(self.outcome(statement), self.is_holding)
        if self.is_holding:
            self.held.append(future)
        return future
