"""The steps of mirror_table.py: plan, apply, fill, compare; and the end of the mirroring. Each step
can be repeated, so a run that was interrupted continues with the same command."""

from pipeline.mirroring import postgres_table
from pipeline.mirroring.cassandra_table import CassandraTable
from pipeline.mirroring.catalogue import read_table
from pipeline.mirroring.columns import mirrorable
from pipeline.mirroring.comparison import SETTLE_SECONDS, Comparison, compare
from pipeline.mirroring.connections import Connections
from pipeline.mirroring.console import Console
from pipeline.mirroring.kafka_progress import KafkaProgress
from pipeline.mirroring.kafka_topic import KafkaTopic, check_partitions, needs_one_partition
from pipeline.mirroring.keys import Key, choose_key
from pipeline.mirroring.names import check_name
from pipeline.mirroring.odd_values import read_facts
from pipeline.mirroring.plan import Plan, make_plan
from pipeline.mirroring.plan_text import plan_lines
from pipeline.mirroring.reading import reading_lines
from pipeline.mirroring.refusal import MirrorIncomplete
from pipeline.mirroring.snapshot import Snapshot
from pipeline.mirroring.source_table import SourceTable
from pipeline.mirroring.steps import Place, Step, topic_steps
from pipeline.settings import Settings

MAX_DIFFERENCES_SHOWN = 5
LIST_DEAD_LETTERS = "python3 consumer_to_cassandra.py --list-dead-letters"


class Mirror:
    """One table on its way into Cassandra. Every method may raise MirrorRefused."""

    def __init__(self, connections: Connections, settings: Settings, name: str, console: Console) -> None:
        self._postgres = connections.postgres
        self._settings = settings
        self._console = console
        self._name = name.removeprefix("public.")
        self._table = CassandraTable(connections.cassandra, settings.CASSANDRA_KEYSPACE, self._name)
        self._topic = KafkaTopic(settings, self._name)

    def plan(self, wanted_key: tuple[str, ...]) -> Plan:
        """What is there, and what is missing; changes nothing."""
        source = read_table(self._postgres, self._name)
        check_name(self._name)
        target = self._table.describe()
        key = choose_key(source, wanted_key, target.key if target else None)
        facts = read_facts(self._postgres, source, key, mirrorable(source), target.columns if target else {})
        plan = make_plan(source, target, key, facts, self._settings.CASSANDRA_KEYSPACE, self._topic_steps(source, key))
        for line in plan_lines(plan):
            self._console.line(line)
        return plan

    def _topic_steps(self, source: SourceTable, key: Key) -> tuple[Step, ...]:
        if not needs_one_partition(source, key):
            return ()
        partitions = self._topic.partitions()
        check_partitions(source, key, self._topic.name, partitions)
        return topic_steps(self._topic.name, partitions)

    def apply(self, plan: Plan) -> None:
        """Runs the plan's steps in their order."""
        for step in plan.steps:
            if step.place is Place.POSTGRES:
                postgres_table.run_step(self._postgres, step.statement)
            elif step.place is Place.CASSANDRA:
                self._table.run(step.statement)
            else:
                self._topic.create()

    def fill(self, plan: Plan) -> Comparison:
        """Requests a snapshot unless Cassandra has all rows already. A table that was not published
        until now always needs one. Raises MirrorIncomplete."""
        if not plan.steps:
            comparison = compare(self._postgres, self._table, plan, settle_seconds=SETTLE_SECONDS)
            if comparison.equal:
                self._console.done("nothing to change: the table is mirrored and equal")
                return comparison
            self._console.line(f"  {difference_of(comparison)}: a new snapshot")
        if not plan.facts.total:
            return compare(self._postgres, self._table, plan)
        progress = KafkaProgress(self._settings, self._name)
        try:
            return Snapshot(self._postgres, progress, self._table, plan, self._console).take()
        finally:
            progress.close()

    def report(self, plan: Plan, comparison: Comparison) -> None:
        """The comparison, and how to read the rows. Raises MirrorIncomplete if rows differ."""
        if not comparison.equal:
            raise MirrorIncomplete(self._advice(comparison))
        self._console.done(
            f"equal: {comparison.rows:,} rows; {comparison.values:,} values of {comparison.sampled:,} rows compared"
        )
        if plan.facts.unwritable:
            self._console.failed(f"dead letters, as announced: {plan.facts.unwritable:,}; see {LIST_DEAD_LETTERS}")
        for line in reading_lines(plan, self._settings.API_PORT, comparison.example):
            self._console.line(line)

    def stop(self) -> None:
        """Takes the table out of the publication. Cassandra keeps its rows: they may be the only
        copy."""
        source = read_table(self._postgres, self._name)
        if source.published:
            postgres_table.unpublish(self._postgres, source)
            self._console.done(f"{self._name} is no longer mirrored")
        else:
            self._console.done(f"nothing to change: {self._name} is not mirrored")
        if self._table.describe() is not None:
            self._console.line(
                f"  Cassandra keeps its rows. To delete them, in cqlsh: DROP TABLE {self._table.cql_name};"
            )
        remark = postgres_table.identity_remark(source)
        if remark:
            self._console.line(f"  {remark}")

    def _advice(self, comparison: Comparison) -> str:
        if comparison.extra_rows:
            return (
                f"{difference_of(comparison)}: the others were deleted while the table was not mirrored, or just now: "
                f"run this again. If they stay, in cqlsh: DROP TABLE {self._table.cql_name}; and run this again"
            )
        if comparison.missing_rows:
            return f"{difference_of(comparison)}. The missing ones may be dead letters: {LIST_DEAD_LETTERS}"
        shown = "\n  ".join(comparison.differences[:MAX_DIFFERENCES_SHOWN])
        return f"{len(comparison.differences)} of {comparison.values:,} values differ:\n  {shown}"


def difference_of(comparison: Comparison) -> str:
    if comparison.missing_rows or comparison.extra_rows:
        return f"PostgreSQL has {comparison.rows:,} rows, Cassandra {comparison.mirrored_rows:,}"
    return f"{len(comparison.differences)} values differ"
