"""What mirroring one table takes: columns, key, and the statements to run. Decides; changes
nothing. Knows no connection."""

from dataclasses import dataclass, field

from pipeline.mirroring.columns import PlannedColumn, TargetTable, planned
from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import RowFacts, counted
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import PUBLICATION, SourceTable, quoted, sql_name
from pipeline.mirroring.steps import Step, cassandra_steps, postgres_steps, publication_steps


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


def make_plan(
    source: SourceTable,
    target: TargetTable | None,
    key: Key,
    facts: RowFacts,
    keyspace: str,
    before_publication: tuple[Step, ...] = (),
) -> Plan:
    """Raises MirrorRefused when rows of the table would arrive damaged without notice."""
    check_source(source, facts)
    columns = tuple(planned(column, key, target, facts) for column in source.columns)
    known = {column.source.name for column in columns if column.cql_type}
    extra = tuple(name for name in (target.columns if target else ()) if name not in known)
    steps = (*postgres_steps(source, key), *cassandra_steps(source, target, key, columns, keyspace))
    steps += (*before_publication, *publication_steps(source))
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
