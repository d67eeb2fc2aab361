"""Prepared statements made from Cassandra's own schema: the columns and types of a table are read
there, so a new column or a new table needs no code. Knows CQL; knows nothing of Kafka or of what
the tables mean."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from cassandra import DriverException
from cassandra.cluster import Session
from cassandra.metadata import TableMetadata
from cassandra.query import UNSET_VALUE

from pipeline.cassandra_session import REFUSED_ERRORS, UNAVAILABLE_ERRORS
from pipeline.changes import DELETE, UPDATE, Row
from pipeline.consumer.bad_value import BAD_VALUE, BadValue
from pipeline.consumer.cql_numbers import bigint
from pipeline.consumer.cql_values import column_encoder, encoder
from pipeline.consumer.replica_identity import InDeletes, remedy
from pipeline.consumer.statement_text import statement_text
from pipeline.consumer.table_keys import TableKeys, check_no_counter, shape
from pipeline.errors import StoreUnavailable, UnwritableRecord
from pipeline.tables import CASSANDRA_TABLES, MIRROR_OF, WHOLE_ROW_IN_DELETES

VERSION = "[version]"  # stands for the write timestamp among the names of a statement's values
MAX_KEY_BYTES = 65_535  # Cassandra's limit; the driver cannot even make a routing key of a longer value
MAX_QUOTED_CHARACTERS = 200
# Cassandra refuses a mutation of more than half a commit-log segment, 16 MiB unless configured
# otherwise; one MiB is left for names and overhead.
MAX_ROW_BYTES = 15 * 1024 * 1024
FIXED_WIDTH = frozenset({"double", "float", "bigint", "int", "smallint", "tinyint", "boolean", "timestamp"})


class EncodedRow(NamedTuple):
    """A row in wire format. `partition`: the statement and the Cassandra partition. `identity`: the
    row (table and primary key). `version_us`: what orders the states of the row. `position`: that
    of its record in the poll."""

    statement: "TableStatement"
    values: tuple[Any, ...]
    partition: tuple[Any, ...]
    identity: tuple[Any, ...]
    size_bytes: int
    version_us: int
    position: int

    def with_version(self, version_us: int) -> "EncodedRow":
        """The same row with another version."""
        at = self.statement.version_at
        values = (*self.values[:at], bigint(version_us), *self.values[at + 1 :])
        return self._replace(values=values, version_us=version_us)


class TableStatement:
    """One way of writing one table: the prepared statement and how to fill it. `kind` is INSERT,
    UPDATE or DELETE; `known` are the names of the table's columns, `value_names` those of the
    statement's values, in their order."""

    def __init__(self, session: Session, table: TableMetadata, kind: str) -> None:
        self.table = table
        self.kind = kind
        self.key = [column.name for column in table.primary_key]
        self.known = frozenset(table.columns)
        others = [name for name in table.columns if name not in self.key]
        self.prepared = session.prepare(statement_text(table, kind, self.key, others))
        order = {UPDATE: [VERSION, *others, *self.key], DELETE: [VERSION, *self.key]}
        names = order.get(kind, [*self.key, *others, VERSION])
        driver_types = [column.type for column in self.prepared.column_metadata]
        self.value_names = tuple(names)
        columns = [pair for pair in zip(names, driver_types, strict=True) if pair[0] != VERSION]
        self._names = [name for name, _ in columns]
        self._driver_types = [driver_type for _, driver_type in columns]
        self._encoders = [column_encoder(driver_type, self._is_exact(name)) for name, driver_type in columns]
        self.version_at = names.index(VERSION)
        self._partition_at = [names.index(column.name) for column in table.partition_key]
        self.key_at = [names.index(name) for name in self.key]
        # Sizes only bound a batch: numbers and times count as eight bytes; only values of variable
        # length are measured.
        self._variable_at = [at for at, type_ in enumerate(driver_types) if type_.typename not in FIXED_WIDTH]
        self._fixed_bytes = 8 * (len(names) - len(self._variable_at))

    def _is_exact(self, name: str) -> bool:
        """Whether no two values of this column may become one: in the key of a user's table. The
        keys of this project's own tables are times of the exchange, in ms."""
        return name in self.key and self.table.name not in CASSANDRA_TABLES

    def fits(self, table: TableMetadata) -> bool:
        """Whether the statement still fits the table's schema. The driver makes a new metadata
        object whenever it reads that schema, even if nothing in it has changed."""
        if table is not self.table:
            if shape(table) != shape(self.table):
                return False
            self.table = table
        return True

    def encode(
        self,
        rows: Sequence[Row],
        versions_us: Sequence[int],
        positions: Sequence[int],
        source: str,
        created: bool = False,
    ) -> list[EncodedRow]:
        """The rows in wire format, made column by column. A column that a row lacks is left unset
        (null in a new row); None clears it, but is left unset as well in rows that are `created`,
        which have nothing to clear. Rows that several `source` tables share (UPDATE) are
        separate identities: each source writes its own columns. Raises UnwritableRecord when one of
        the rows has a value that does not fit or lacks a key column; for a single row the message
        names the column."""
        try:
            columns = self._columns(rows, UNSET_VALUE if created else None)
            columns.insert(self.version_at, list(map(bigint, versions_us)))
        except BAD_VALUE:
            raise self._bad_value(rows[0]) from None
        keys = [columns[at] for at in self.key_at]
        self._check_keys(keys, rows[0])
        sizes = list(self._sizes(columns, len(rows)))
        self._check_size(max(sizes))
        identity = f"{self.table.name} {source if self.kind == UPDATE else ''}"
        return list(
            map(
                EncodedRow,
                repeat(self),
                zip(*columns),
                zip(repeat(self), *(columns[at] for at in self._partition_at)),
                zip(repeat(identity), *keys),
                sizes,
                versions_us,
                positions,
            )
        )

    def _columns(self, rows: Sequence[Row], null: Any) -> list[list[Any]]:
        given = set().union(*rows)  # of market_now's columns, each source table writes a part
        return [
            encode([row.get(name, UNSET_VALUE) for row in rows], null) if name in given else [UNSET_VALUE] * len(rows)
            for name, encode in zip(self._names, self._encoders)
        ]

    def delete_of(self, row: EncodedRow, version_us: int) -> EncodedRow:
        """With a DELETE: the delete of a row that another statement of the same table encoded."""
        keys = [row.values[at] for at in row.statement.key_at]
        values = (bigint(version_us), *keys)  # the order of DELETE's values
        return EncodedRow(self, values, (self, *keys), row.identity, row.size_bytes, version_us, row.position)

    def _check_keys(self, keys: list[list[Any]], first: Row) -> None:
        for values in keys:
            if set(map(type, values)) != {bytes}:
                raise self._missing_key(first)
            if max(map(len, values)) > MAX_KEY_BYTES:
                raise UnwritableRecord(f"{self.table.name}: a key column of more than {MAX_KEY_BYTES} bytes")
        if len(self.table.partition_key) == 1 and min(map(len, keys[0])) == 0:
            raise UnwritableRecord(
                f"{self.table.name}.{self.key[0]}='': the only column of Cassandra's partition key cannot be empty"
            )

    def _missing_key(self, row: Row) -> UnwritableRecord:
        missing = ", ".join(name for name in self.key if row.get(name) is None)
        table = self.table.name
        if self.kind == DELETE:
            return UnwritableRecord(
                f"{table}: the delete has no certain value for key column {missing}: the replica identity of"
                f" PostgreSQL's table does not hold it; {remedy(table)}, then delete the row here by hand"
            )
        return UnwritableRecord(
            f"{table}: no value for key column {missing}: it must be in PostgreSQL, spelled alike, and NOT NULL"
        )

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > MAX_ROW_BYTES:
            raise UnwritableRecord(
                f"{self.table.name}: a row of {size_bytes:,} bytes; Cassandra takes {MAX_ROW_BYTES:,} (half a"
                " commit-log segment): keep such values outside the table, or leave the column out here"
            )

    def _sizes(self, columns: list[list[Any]], count: int) -> Iterable[int]:
        lengths = ([len(value) if value.__class__ is bytes else 0 for value in columns[at]] for at in self._variable_at)
        return map(sum, zip(repeat(self._fixed_bytes, count), *lengths))

    def _bad_value(self, row: Row) -> UnwritableRecord:
        """Names the column: searched for only once it is known that a value does not fit."""
        for name, driver_type in zip(self._names, self._driver_types):
            value = row.get(name)
            try:
                if value is not None:
                    encoder(driver_type, self._is_exact(name))(value)
            except BadValue as error:
                return UnwritableRecord(f"{self.table.name}.{name}={shortened(value)}: {error}")
            except BAD_VALUE as error:
                cql_type = self.table.columns[name].cql_type
                why = f"cannot be stored as {cql_type} ({shortened(error)}): use a column of another type"
                return UnwritableRecord(f"{self.table.name}.{name}={shortened(value)}: {why}")
        return UnwritableRecord(f"{self.table.name}: a version that is not a 64-bit number")


def shortened(value: object) -> str:
    """A value as a message can quote it: the record itself is kept in the dead letter."""
    text = str(value) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= MAX_QUOTED_CHARACTERS else text[:MAX_QUOTED_CHARACTERS] + "…"


class Statements:
    """The statements of a keyspace, prepared when first needed and again when the schema of their
    table has changed."""

    def __init__(self, session: Session, keyspace: str) -> None:
        self._session = session
        self._keyspace = keyspace
        self._statements: dict[tuple[str, str], TableStatement] = {}
        # Statements that Cassandra refuses to prepare, with the schema for which it did.
        self._refused: dict[tuple[str, str], tuple[TableMetadata, str]] = {}
        self._keys: dict[str, TableKeys] = {}

    def tables(self) -> set[str]:
        """Names of the tables that exist now."""
        keyspace = self._session.cluster.metadata.keyspaces.get(self._keyspace)
        return set(keyspace.tables) if keyspace else set()

    def table(self, name: str) -> TableMetadata | None:
        """The schema of a table as the driver knows it now; None when there is no such table."""
        keyspace = self._session.cluster.metadata.keyspaces.get(self._keyspace)
        return keyspace.tables.get(name) if keyspace else None

    def in_deletes(self, name: str) -> InDeletes:
        """What the table's comment says."""
        table = self.table(name)
        comment = (table.options.get("comment") or "") if table else ""
        return InDeletes(MIRROR_OF in comment, WHOLE_ROW_IN_DELETES in comment)

    def statement(self, table_name: str, kind: str) -> TableStatement:
        """Raises UnwritableRecord when Cassandra has no such table or refuses such a statement,
        StoreUnavailable when the statement cannot be prepared now."""
        table = self.table(table_name)
        if table is None:
            raise UnwritableRecord(f"no table {self._keyspace}.{table_name} in Cassandra")
        statement = self._statements.get((table_name, kind))
        if statement is None or not statement.fits(table):
            statement = self._statements[table_name, kind] = self._prepared(table, kind)
        return statement

    def _prepared(self, table: TableMetadata, kind: str) -> TableStatement:
        refused_for, reason = self._refused.get((table.name, kind), (None, ""))
        if refused_for is table:
            raise UnwritableRecord(reason)
        try:
            check_no_counter(table)
            return TableStatement(self._session, table, kind)
        except UNAVAILABLE_ERRORS as error:
            raise StoreUnavailable(f"cannot prepare {kind} for {table.name}: {error}") from error
        except (*REFUSED_ERRORS, UnwritableRecord) as error:
            reason = str(error)
            if not isinstance(error, UnwritableRecord):
                reason = f"Cassandra refuses to prepare {kind} for {table.name}: {shortened(error)}"
            self._refused[table.name, kind] = (table, reason)
            raise UnwritableRecord(reason) from error

    def keys(self, table_name: str) -> TableKeys | None:
        """What has to be known of a table's key and collections before its rows are encoded; None
        when there is no such table."""
        table = self.table(table_name)
        if table is None:
            return None
        known = self._keys.get(table_name)
        if known is None or known.table is not table:
            known = self._keys[table_name] = TableKeys.of(table)
        return known

    def is_current(self, statement: TableStatement) -> bool:
        """False once the schema has changed after the statement was prepared: then a refusal is not
        the record's fault."""
        table = self.table(statement.table.name)
        return table is not None and statement.fits(table)

    def has_changed(self, statement: TableStatement) -> bool:
        """Reads the schema from Cassandra first: the driver may be notified of a change only after
        the first refusal. Raises StoreUnavailable."""
        try:
            self._session.cluster.refresh_table_metadata(self._keyspace, statement.table.name)
        except (*UNAVAILABLE_ERRORS, DriverException) as error:
            raise StoreUnavailable(f"cannot read the schema of {statement.table.name}: {error}") from error
        return not self.is_current(statement)
