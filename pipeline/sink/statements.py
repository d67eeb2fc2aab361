"""Prepared statements made from Cassandra's own schema: what a table's columns and types are is read there, so a new
column or a new table needs no code. Knows CQL; knows nothing of Kafka or of what the tables mean."""

from operator import itemgetter
from typing import Any, NamedTuple

from cassandra.cluster import Session
from cassandra.metadata import TableMetadata
from cassandra.query import UNSET_VALUE, BoundStatement, PreparedStatement

from pipeline.cassandra import AWAY
from pipeline.errors import StoreUnavailable, UnwritableRecord
from pipeline.sink.encoding import BAD_VALUE, Encoder, bigint, encoder
from pipeline.transformations import DELETE, UPDATE

VERSION = "[version]"
LONGEST_KEY_BYTES = 65_535  # Cassandra's limit; the driver cannot even make a routing key of a longer one
MOST_CHARACTERS = 200
FIXED_WIDTH = frozenset({"double", "float", "bigint", "int", "smallint", "tinyint", "boolean", "timestamp"})


class SerialisedRow(BoundStatement):
    """A prepared statement with values that are in wire format already: skips the driver's own binding, which costs
    more than everything else on the write path (DESIGN 2.3)."""

    def __init__(self, prepared: PreparedStatement, values: list[Any]) -> None:
        self.prepared_statement = prepared
        self.keyspace = prepared.column_metadata[0].keyspace_name
        self.values = values
        self._routing_key = None


class EncodedRow(NamedTuple):
    """`identity` is the row (table and primary key), `partition` the Cassandra partition it lives in."""

    statement: "TableStatement"
    values: list[Any]
    partition: Any
    identity: tuple[Any, ...]
    size_bytes: int


class TableStatement:
    """One way of writing one table: the prepared statement and how to fill it."""

    def __init__(self, session: Session, table: TableMetadata, kind: str) -> None:
        self.table, self.kind = table, kind
        partition = [column.name for column in table.partition_key]
        self.key = [column.name for column in table.primary_key]
        others = [name for name in table.columns if name not in self.key]
        self.known = frozenset(table.columns)
        self.prepared = session.prepare(statement_text(table, kind, self.key, others))
        order = {UPDATE: [VERSION, *others, *self.key], DELETE: [VERSION, *self.key]}
        names = order.get(kind, [*self.key, *others, VERSION])
        types = [meta.type for meta in self.prepared.column_metadata]
        self._fields: list[tuple[str, Encoder]] = [
            (name, encoder(driver_type)) for name, driver_type in zip(names, types, strict=True) if name != VERSION
        ]
        self._version_at = names.index(VERSION)
        self._partition = itemgetter(*map(names.index, partition))
        self._key = itemgetter(*map(names.index, self.key))
        # Sizes only bound a batch: numbers and times count as eight bytes, only text and the like is measured.
        self._long = [number for number, driver_type in enumerate(types) if driver_type.typename not in FIXED_WIDTH]
        self._fixed_bytes = 8 * (len(names) - len(self._long))

    def encode(self, row: dict[str, Any], version_us: int, source: str) -> EncodedRow:
        """The row in wire format. A column that the row lacks is left unset (null in a new row); None clears it.
        Rows that several `source` tables share (UPDATE) are separate identities: each writes its own columns.
        Raises UnwritableRecord for a value that does not fit or a key that is missing."""
        cell = row.get
        try:
            values = [
                value if (value := cell(name, UNSET_VALUE)) is None or value is UNSET_VALUE else encode(value)
                for name, encode in self._fields
            ]
            values.insert(self._version_at, bigint(version_us))
        except BAD_VALUE:
            raise self._bad_value(row) from None
        key = self._key(values)
        if None in (parts := key if isinstance(key, tuple) else (key,)) or UNSET_VALUE in parts:
            missing = [name for name in self.key if row.get(name) is None]
            raise UnwritableRecord(f"{self.table.name}: no value for key column {', '.join(missing)}")
        long = [len(value) for number in self._long if isinstance(value := values[number], bytes)]
        if long and max(long) > LONGEST_KEY_BYTES and any(len(part) > LONGEST_KEY_BYTES for part in parts):
            raise UnwritableRecord(f"{self.table.name}: a key column of more than {LONGEST_KEY_BYTES} bytes")
        size_bytes = self._fixed_bytes + sum(long)
        identity = (self.table.name, source if self.kind == UPDATE else "", key)
        return EncodedRow(self, values, self._partition(values), identity, size_bytes)

    def _bad_value(self, row: dict[str, Any]) -> UnwritableRecord:
        """Which column it was: looked for only once it is known that there is one."""
        for name, encode in self._fields:
            value = row.get(name)
            try:
                if value is not None:
                    encode(value)
            except BAD_VALUE as error:
                return UnwritableRecord(f"{self.table.name}.{name}={shortened(value)}: {shortened(error)}")
        return UnwritableRecord(f"{self.table.name}: a version that is no 64-bit number")

    def bind(self, values: list[Any]) -> SerialisedRow:
        return SerialisedRow(self.prepared, values)


def shortened(value: object) -> str:
    """A value as a message can hold it: the record itself is kept in the dead letter."""
    text = str(value) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def statement_text(table: TableMetadata, kind: str, key: list[str], others: list[str]) -> str:
    """UPDATE rather than INSERT where several sources share a row: it leaves no row marker behind, so the row is gone
    when the last source has cleared its columns."""
    name = f'"{table.keyspace_name}"."{table.name}"'
    where = " AND ".join(f'"{column}" = ?' for column in key)
    if kind == UPDATE:
        assignments = ", ".join(f'"{column}" = ?' for column in others)
        return f"UPDATE {name} USING TIMESTAMP ? SET {assignments} WHERE {where}"
    if kind == DELETE:
        return f"DELETE FROM {name} USING TIMESTAMP ? WHERE {where}"
    columns = ", ".join(f'"{column}"' for column in (*key, *others))
    marks = ", ".join("?" * (len(key) + len(others)))
    return f"INSERT INTO {name} ({columns}) VALUES ({marks}) USING TIMESTAMP ?"


class Statements:
    """The statements of a keyspace, prepared when first needed and again when their table's schema changed."""

    def __init__(self, session: Session, keyspace: str) -> None:
        self._session, self._keyspace = session, keyspace
        self._statements: dict[tuple[str, str], TableStatement] = {}

    def tables(self) -> set[str]:
        """Names of the tables that exist now."""
        keyspace = self._session.cluster.metadata.keyspaces.get(self._keyspace)
        return set(keyspace.tables) if keyspace else set()

    def current(self, table_name: str) -> TableMetadata | None:
        keyspace = self._session.cluster.metadata.keyspaces.get(self._keyspace)
        return keyspace.tables.get(table_name) if keyspace else None

    def statement(self, table_name: str, kind: str) -> TableStatement:
        """Raises UnwritableRecord when Cassandra has no such table, StoreUnavailable when it cannot be prepared."""
        table = self.current(table_name)
        if table is None:
            raise UnwritableRecord(f"no table {self._keyspace}.{table_name} in Cassandra")
        statement = self._statements.get((table_name, kind))
        # The driver puts a new object in place of a table's metadata when its schema changes.
        if statement is None or statement.table is not table:
            try:
                statement = TableStatement(self._session, table, kind)
            except AWAY as error:
                raise StoreUnavailable(f"cannot prepare {kind} for {table_name}: {error}") from error
            self._statements[table_name, kind] = statement
        return statement

    def is_current(self, statement: TableStatement) -> bool:
        """False once the schema has changed under a statement: then a refusal is not the record's fault."""
        return self.current(statement.table.name) is statement.table
