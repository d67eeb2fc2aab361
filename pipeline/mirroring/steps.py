"""The steps that a table still needs in PostgreSQL, Cassandra and Kafka, each with its reason.
Decides; runs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pipeline.mirroring.columns import EXACT_TIME, PlannedColumn, TargetTable
from pipeline.mirroring.identity import tables_to_change, why_full
from pipeline.mirroring.keys import Key
from pipeline.mirroring.source_table import DEBEZIUM_ROLE, PUBLICATION, SourceTable, quoted, sql_name
from pipeline.tables import MIRROR_OF, TIME_AS_MICROSECONDS, TIME_AS_TEXT, WHOLE_ROW_IN_DELETES


class Place(Enum):
    POSTGRES = "PostgreSQL"
    CASSANDRA = "Cassandra"
    KAFKA = "Kafka"


@dataclass(frozen=True, slots=True)
class Step:
    """A statement, as it is run, and why."""

    place: Place
    statement: str
    why: str


def table_comment(source: SourceTable, key: Key, columns: Sequence[PlannedColumn]) -> str:
    """Where the rows come from; which columns are times although their type does not say so; and
    whether deletes carry the whole row because the key needs it."""
    comment = deletes_comment(source, key)
    for column in columns:
        if column.source.type.base in EXACT_TIME and column.cql_type == EXACT_TIME[column.source.type.base]:
            mark = TIME_AS_TEXT if column.cql_type == "text" else TIME_AS_MICROSECONDS
            comment += f" {mark}{column.source.name}."
    return comment


def deletes_comment(source: SourceTable, key: Key) -> str:
    """What the consumer may rely on in deletes, once the steps in PostgreSQL were run."""
    needs_whole_row = not set(key.columns) <= set(source.primary_key)
    return f"{MIRROR_OF}{source.name}." + (f" {WHOLE_ROW_IN_DELETES}" if needs_whole_row else "")


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


def topic_steps(topic: str, partitions: int) -> tuple[Step, ...]:
    """A topic with one partition, before Connect creates one with several."""
    if partitions:
        return ()
    why = "Cassandra's key can pass from one row of PostgreSQL to another, and only a Kafka partition keeps the order"
    return (Step(Place.KAFKA, f"create the topic {topic} with one partition", why),)


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
        why = "a column that is new in PostgreSQL"
        added = (
            Step(Place.CASSANDRA, f"ALTER TABLE {name} ADD {quoted(column)} {kind}", why)
            for column, kind in wanted.items()
            if column not in target.columns
        )
        return (*added, *comment_steps(source, target, key, name))
    lines = "".join(f"{quoted(column)} {kind}, " for column, kind in wanted.items())
    partition = ", ".join(map(quoted, key.partition))
    clustering = "".join(f", {quoted(column)}" for column in key.clustering)
    comment = table_comment(source, key, columns).replace("'", "''")
    statement = f"CREATE TABLE {name} ({lines}PRIMARY KEY (({partition}){clustering})) WITH comment = '{comment}'"
    return (Step(Place.CASSANDRA, statement, "the consumer writes to the table of the same name"),)


def comment_steps(source: SourceTable, target: TargetTable, key: Key, name: str) -> tuple[Step, ...]:
    """A table that was made by hand says from now on what its deletes carry."""
    if MIRROR_OF in target.comment:
        return ()
    comment = f"{target.comment} {deletes_comment(source, key)}".strip().replace("'", "''")
    why = "the consumer knows from it what a delete carries"
    return (Step(Place.CASSANDRA, f"ALTER TABLE {name} WITH comment = '{comment}'", why),)
