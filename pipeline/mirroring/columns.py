"""What becomes of each column: its CQL type, or why it is left out, and what to know about it.
Knows no connection."""

from dataclasses import dataclass

from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import Check, RowFacts, counted
from pipeline.mirroring.refusal import Unmirrorable
from pipeline.mirroring.source_table import SourceColumn, SourceTable
from pipeline.mirroring.types import cql_type

# Defaults that give microseconds, so that Cassandra's timestamp would round them.
CLOCKS = ("now()", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "_timestamp()")
# Digits of a second that Cassandra's timestamp keeps.
MILLISECOND_DIGITS = 3
# How a time with microseconds is stored in a key, without rounding: Debezium's own value.
EXACT_TIME = {"timestamptz": "text", "timestamp": "bigint"}


@dataclass(frozen=True, slots=True)
class TargetTable:
    """A table as Cassandra has it: columns with their CQL types."""

    key: Key
    columns: dict[str, str]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """`cql_type`: None for a column that is not mirrored; `remark` says why, or what to know."""

    source: SourceColumn
    cql_type: str | None
    remark: str = ""


def mirrorable(source: SourceTable) -> tuple[SourceColumn, ...]:
    """The columns that have an exact CQL type and are in the stream."""
    return tuple(column for column in source.columns if not why_left_out(column))


def why_left_out(column: SourceColumn) -> str:
    if column.generated:
        return "left out: Debezium does not send generated columns"
    try:
        cql_type(column.type)
    except Unmirrorable as reason:
        return f"left out: {reason}"
    return ""


def planned(column: SourceColumn, key: Key, target: TargetTable | None, facts: RowFacts) -> PlannedColumn:
    """The column with its CQL type. A type that Cassandra has already stays."""
    left_out = why_left_out(column)
    if left_out:
        return PlannedColumn(column, None, left_out)
    in_key = column.name in key.columns
    exact = cql_type(column.type)
    if in_key and needs_exact_time(column, facts):
        exact = EXACT_TIME[column.type.base]
    existing = target.columns.get(column.name) if target else None
    remarks = [key_remark(column.name, key), time_remark(column, existing or exact, in_key)]
    if existing is not None and plain(existing) != plain(exact):
        remarks.append(f"has been {existing} in Cassandra before; {exact} holds every value exactly")
    remarks += [f"{counted(rows)} {check.what}: dead letters" for check, rows in odd_of(column.name, facts)]
    return PlannedColumn(column, existing or exact, "; ".join(filter(None, remarks)))


def plain(cql: str) -> str:
    return cql.replace("frozen<", "").replace(">", "").replace(" ", "")


def odd_of(name: str, facts: RowFacts) -> list[tuple[Check, int]]:
    return [(check, rows) for check, rows in facts.odd if check.column == name]


def needs_exact_time(column: SourceColumn, facts: RowFacts) -> bool:
    """Whether a time in the key has, or gets by its default, more digits than milliseconds.
    Rounded, two rows could become one."""
    if column.type.base not in EXACT_TIME or fits_milliseconds(column):
        return False
    return column.name in facts.with_microseconds or any(clock in column.default for clock in CLOCKS)


def fits_milliseconds(column: SourceColumn) -> bool:
    """Whether PostgreSQL itself rounds the column's times to milliseconds or coarser."""
    return column.type.modifier is not None and column.type.modifier <= MILLISECOND_DIGITS


def key_remark(name: str, key: Key) -> str:
    if name in key.partition:
        return "partition key"
    return "clustering key" if name in key.clustering else ""


def time_remark(column: SourceColumn, cql: str, in_key: bool) -> str:
    kind = column.type.base
    if kind not in EXACT_TIME or fits_milliseconds(column):
        return ""
    if in_key and cql == EXACT_TIME[kind]:
        unit = "ISO 8601" if kind == "timestamptz" else "microseconds since 1970"
        return f"as {unit}, because a timestamp would round to the millisecond; {kind}(3) becomes a timestamp"
    if in_key:
        return "a row with microseconds here becomes a dead letter"
    return "to the millisecond"
