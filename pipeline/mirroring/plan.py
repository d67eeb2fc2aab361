"""What mirroring one table takes: columns, key, and the statements to run. Decides; changes
nothing. Knows no connection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from pipeline.mirroring.identity import tables_to_change, why_full
from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import Check, RowFacts, counted
from pipeline.mirroring.refusal import MirrorRefused, Unmirrorable
from pipeline.mirroring.source_table import DEBEZIUM_ROLE, PUBLICATION, SourceColumn, SourceTable, quoted, sql_name
from pipeline.mirroring.types import cql_type
from pipeline.tables import TIME_AS_MICROSECONDS, TIME_AS_TEXT

# Defaults that give microseconds, so that Cassandra's timestamp would round them.
CLOCKS = ("now()", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "_timestamp()")
# Digits of a second that Cassandra's timestamp keeps.
MILLISECOND_DIGITS = 3
# How a time with microseconds is stored in a key, without rounding: Debezium's own value.
EXACT_TIME = {"timestamptz": "text", "timestamp": "bigint"}


class Place(Enum):
    POSTGRES = "PostgreSQL"
    CASSANDRA = "Cassandra"


@dataclass(frozen=True, slots=True)
class Step:
    """A statement, as it is run, and why."""

    place: Place
    statement: str
    why: str


@dataclass(frozen=True, slots=True)
class TargetTable:
    """A table as Cassandra has it: columns with their CQL types."""

    key: Key
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """`cql_type`: None for a column that is not mirrored; `remark` says why, or what to know."""

    source: SourceColumn
    cql_type: str | None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    source: SourceTable
    keyspace: str
    key: Key
    columns: tuple[PlannedColumn, ...]
    steps: tuple[Step, ...]
    facts: RowFacts
    extra_columns: tuple[str, ...] = field(default=())

    @property
    def cql_name(self) -> str:
        return f"{self.keyspace}.{quoted(self.source.name)}"

    @property
    def mirrored(self) -> tuple[PlannedColumn, ...]:
        return tuple(column for column in self.columns if column.cql_type is not None)

    @property
    def expected_rows(self) -> int:
        """Rows that Cassandra will have; the others become dead letters."""
        return self.facts.total - self.facts.unwritable


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


def make_plan(source: SourceTable, target: TargetTable | None, key: Key, facts: RowFacts, keyspace: str) -> Plan:
    """Raises MirrorRefused when rows of the table would arrive damaged without notice."""
    check_source(source, facts)
    columns = tuple(planned(column, key, target, facts) for column in source.columns)
    known = {column.source.name for column in columns if column.cql_type}
    extra = tuple(name for name in (target.columns if target else ()) if name not in known)
    steps = (*postgres_steps(source, key), *cassandra_steps(source, target, key, columns, keyspace))
    steps += publication_steps(source)
    return Plan(source, keyspace, key, columns, steps, facts, extra)


def check_source(source: SourceTable, facts: RowFacts) -> None:
    if source.publication_limit:
        raise MirrorRefused(
            f"{PUBLICATION} sends {source.name} with {source.publication_limit}, so rows or columns would be missing: "
            f"ALTER PUBLICATION {PUBLICATION} DROP TABLE {sql_name(source.name)}, then run this again"
        )
    for check, rows in facts.odd:
        if check.silent:
            raise MirrorRefused(
                f"{counted(rows)} {check.what} in {source.name}.{check.column}, and Debezium would change them without "
                f"notice. Find them with SELECT * FROM {sql_name(source.name)} WHERE {check.condition}; "
                f"change them, or the type of the column"
            )


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


def table_comment(table: str, columns: Sequence[PlannedColumn]) -> str:
    """Where the rows come from, and which columns are times although their type does not say so."""
    comment = f"Mirror of public.{table}."
    for column in columns:
        if column.source.type.base in EXACT_TIME and column.cql_type == EXACT_TIME[column.source.type.base]:
            mark = TIME_AS_TEXT if column.cql_type == "text" else TIME_AS_MICROSECONDS
            comment += f" {mark}{column.source.name}."
    return comment


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


def postgres_steps(source: SourceTable, key: Key) -> tuple[Step, ...]:
    """What the source needs before its changes are published."""
    found: list[Step] = []
    if not source.readable:
        statement = f"GRANT SELECT ON {sql_name(source.name)} TO {DEBEZIUM_ROLE}"
        found.append(Step(Place.POSTGRES, statement, "a snapshot reads the table"))
    reason = why_full(source, key)
    why = reason or "the present replica identity does not contain the primary key"
    for table in tables_to_change(source, reason):
        found.append(Step(Place.POSTGRES, f"ALTER TABLE {table} REPLICA IDENTITY FULL", why))
    return tuple(found)


def publication_steps(source: SourceTable) -> tuple[Step, ...]:
    if source.published:
        return ()
    statement = f"ALTER PUBLICATION {PUBLICATION} ADD TABLE {sql_name(source.name)}"
    return (Step(Place.POSTGRES, statement, "from then on every change is streamed"),)


def cassandra_steps(
    source: SourceTable,
    target: TargetTable | None,
    key: Key,
    columns: Sequence[PlannedColumn],
    keyspace: str,
) -> tuple[Step, ...]:
    name = f"{keyspace}.{quoted(source.name)}"
    wanted = {column.source.name: column.cql_type for column in columns if column.cql_type}
    if target is not None:
        return tuple(
            Step(
                Place.CASSANDRA, f"ALTER TABLE {name} ADD {quoted(column)} {kind}", "a column that is new in PostgreSQL"
            )
            for column, kind in wanted.items()
            if column not in target.columns
        )
    lines = "".join(f"{quoted(column)} {kind}, " for column, kind in wanted.items())
    partition = ", ".join(map(quoted, key.partition))
    clustering = "".join(f", {quoted(column)}" for column in key.clustering)
    comment = table_comment(source.name, columns).replace("'", "''")
    statement = f"CREATE TABLE {name} ({lines}PRIMARY KEY (({partition}){clustering})) WITH comment = '{comment}'"
    return (Step(Place.CASSANDRA, statement, "the consumer writes to the table of the same name"),)
