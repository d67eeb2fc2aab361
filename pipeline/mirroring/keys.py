"""Cassandra's key of a mirrored table: which columns, and whether they tell all rows apart. Knows
no connection."""

from dataclasses import dataclass

from pipeline.mirroring.refusal import MirrorRefused, Unmirrorable
from pipeline.mirroring.source_table import SourceTable, quoted, sql_name
from pipeline.mirroring.types import cql_type


@dataclass(frozen=True, slots=True)
class Key:
    partition: tuple[str, ...]
    clustering: tuple[str, ...] = ()

    @classmethod
    def of(cls, columns: tuple[str, ...]) -> "Key":
        """The first column is the partition key, the others order its rows."""
        return cls(columns[:1], columns[1:])

    @property
    def columns(self) -> tuple[str, ...]:
        return self.partition + self.clustering


def choose_key(source: SourceTable, wanted: tuple[str, ...], existing: Key | None) -> Key:
    """The key `wanted` (`--key`), else that of the table in Cassandra, else PostgreSQL's primary
    key. Raises MirrorRefused if it does not tell all rows apart, or cannot be a key."""
    if existing is not None and wanted and existing.columns != wanted:
        raise MirrorRefused(
            f"{source.name} is in Cassandra already, with the key {', '.join(existing.columns)}. Leave out --key, "
            f"or DROP TABLE {quoted(source.name)} in Cassandra and run this again"
        )
    if existing is None and not wanted and not source.primary_key:
        raise MirrorRefused(no_primary_key(source))
    key = existing or Key.of(wanted or source.primary_key)
    for name in key.columns:
        check_key_column(source, name)
    check_unique(source, key)
    return key


def no_primary_key(source: SourceTable) -> str:
    table = sql_name(source.name)
    if source.unique_keys:
        return f"{source.name} has no primary key; it has a unique one: add --key {','.join(source.unique_keys[0])}"
    return (
        f"{source.name} has no primary key, so its rows cannot be told apart: ALTER TABLE {table} ADD PRIMARY KEY (…), "
        f"or a unique index on NOT NULL columns and --key with these"
    )


def check_key_column(source: SourceTable, name: str) -> None:
    table = sql_name(source.name)
    if name not in source.column_names:
        raise MirrorRefused(
            f"{source.name} has no column {name} for the key; its columns: {', '.join(source.column_names)}"
        )
    column = source.column(name)
    if column.type.is_array:
        raise MirrorRefused(f"{name} is an array and cannot be part of the key: choose others with --key")
    if column.generated:
        raise MirrorRefused(
            f"{name} is a generated column, which Debezium does not send, so it cannot be part of the key: "
            "choose others with --key"
        )
    try:
        cql_type(column.type)
    except Unmirrorable as reason:
        raise MirrorRefused(
            f"{name} is {column.type.text} and cannot be part of the key: {reason}. Choose others with --key"
        ) from None
    if not column.not_null:
        raise MirrorRefused(
            f"{name} may be null, and Cassandra's keys hold no null: "
            f"ALTER TABLE {table} ALTER COLUMN {quoted(name)} SET NOT NULL, or choose others with --key"
        )


def check_unique(source: SourceTable, key: Key) -> None:
    if len(set(key.columns)) < len(key.columns):
        raise MirrorRefused(f"--key names a column twice: {','.join(key.columns)}")
    unique = [columns for columns in (source.primary_key, *source.unique_keys) if columns]
    if any(set(columns) <= set(key.columns) for columns in unique):
        return
    shown = ", ".join(key.columns)
    if not unique:
        raise MirrorRefused(
            f"nothing in PostgreSQL makes ({shown}) unique, so two rows could become one: "
            f"ALTER TABLE {sql_name(source.name)} ADD PRIMARY KEY (…)"
        )
    missing = [name for name in unique[0] if name not in key.columns]
    better = ",".join([*key.columns, *missing])
    raise MirrorRefused(
        f"the key ({shown}) does not contain {', '.join(missing)} of PostgreSQL's key, so two rows could become one: "
        f"--key {better}"
    )
