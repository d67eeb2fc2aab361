"""A table as PostgreSQL's catalogue describes it. Knows no connection: catalogue.py reads it."""

from dataclasses import dataclass

PUBLICATION = "crypto_publication"
DEBEZIUM_ROLE = "crypto_debezium"
# What `relreplident` means.
DEFAULT, FULL, NOTHING, INDEX = "d", "f", "n", "i"


@dataclass(frozen=True, slots=True)
class PgType:
    """A column's type, with domains resolved.

    `text`: as PostgreSQL writes it (`numeric(10,2)`, `mpaa_rating[]`).
    `base`: the name of the type, of the domain's base type, or of an array's elements; `enum`,
    `range`, `multirange` and `composite` stand for all types of these kinds.
    `modifier`: the number in parentheses (the length, or the digits of a second); None if there is
    none.
    `max_bytes`: the longest stored value; None if it has no limit."""

    text: str
    base: str
    is_array: bool = False
    modifier: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """`default`: the expression, empty if there is none."""

    name: str
    type: PgType
    not_null: bool = False
    generated: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class SourceTable:
    """`primary_key`: its columns in their order; empty if there is none.
    `deferrable_key`: PostgreSQL may check the primary key at the end of a transaction, and then
    does not use it as replica identity.
    `unique_keys`: the columns of each unique index that covers all rows and has only NOT NULL
    columns.
    `identities`: `relreplident` by the table that stores rows: the table itself, or each partition.
    `identity_columns`: the columns of the index, if the replica identity is an index.
    `published`: the publication sends its changes. `publication_limit`: a column list or a row
    filter of the publication, as text; empty if it sends whole rows."""

    name: str
    columns: tuple[SourceColumn, ...]
    primary_key: tuple[str, ...]
    unique_keys: tuple[tuple[str, ...], ...] = ()
    deferrable_key: bool = False
    identities: tuple[tuple[str, str], ...] = ()
    identity_columns: tuple[str, ...] = ()
    partitioned: bool = False
    published: bool = False
    publication_limit: str = ""
    readable: bool = True

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> SourceColumn:
        """Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def quoted(name: str) -> str:
    """An identifier for SQL and CQL, whatever its characters are."""
    return '"' + name.replace('"', '""') + '"'


def sql_name(table: str) -> str:
    return f"public.{quoted(table)}"
