"""What has to be known of a Cassandra table before its rows are encoded. Reads the driver's
metadata; knows nothing of rows."""

import re
from typing import NamedTuple

from cassandra.metadata import TableMetadata

from pipeline.errors import UnwritableRecord

# Element types of collections for which Debezium 3.7 sends a placeholder instead of an unchanged
# array. Of the others, numeric[], float8[], timestamptz[] and smallint[] were seen to come as null.
WITH_PLACEHOLDER = frozenset({"text", "varchar", "ascii", "int", "bigint", "date", "blob", "uuid", "inet"})
COLLECTION = re.compile(r"(?:frozen<)?(?:list|set|vector)<(?:frozen<)?(\w+)")


def shape(table: TableMetadata) -> tuple[object, ...]:
    """What a statement depends on: the columns with their types, and which of them are the key."""
    columns = {name: column.cql_type for name, column in table.columns.items()}
    return columns, [column.name for column in table.partition_key], [column.name for column in table.primary_key]


def check_no_counter(table: TableMetadata) -> None:
    counters = [name for name, column in table.columns.items() if column.cql_type == "counter"]
    if counters:
        raise UnwritableRecord(
            f"{table.name}.{counters[0]} is a counter: rows cannot be inserted into a counter table; drop the table in"
            " Cassandra and create it with bigint in place of counter"
        )


class TableKeys(NamedTuple):
    """`key`: the primary key. `null_if_unchanged`: collections that Debezium sends as null when
    they are large (TOAST) and an update left them alone."""

    table: TableMetadata
    key: tuple[str, ...]
    null_if_unchanged: tuple[str, ...]

    @classmethod
    def of(cls, table: TableMetadata) -> "TableKeys":
        key = tuple(column.name for column in table.primary_key)
        found = {name: COLLECTION.match(column.cql_type) for name, column in table.columns.items()}
        doubtful = (name for name, match in found.items() if match and match[1] not in WITH_PLACEHOLDER)
        return cls(table, key, tuple(doubtful))
