"""A plan as text for a person. Knows no connection."""

import textwrap
from collections.abc import Iterator, Sequence

from pipeline.mirroring.identity import why_full
from pipeline.mirroring.plan import Plan

TITLES = ("column", "PostgreSQL", "Cassandra", "remark")
WIDTH = 110
NOT_MIRRORED = "-"


def plan_lines(plan: Plan) -> Iterator[str]:
    """The table of columns, then the steps."""
    yield f"public.{plan.source.name} in PostgreSQL → {plan.keyspace}.{plan.source.name} in Cassandra"
    yield from table_lines(
        TITLES,
        [
            (column.source.name, column.source.type.text, column.cql_type or NOT_MIRRORED, column.remark)
            for column in plan.columns
        ],
    )
    if plan.extra_columns:
        yield f"  only in Cassandra, filled by a transformation or not at all: {', '.join(plan.extra_columns)}"
    if plan.facts.unwritable:
        yield f"  {plan.facts.unwritable:,} of {plan.facts.total:,} rows hold such values and become dead letters"
    if plan.source.partitioned and why_full(plan.source, plan.key):
        yield "  each partition needs REPLICA IDENTITY FULL: after you add one, run this again"
    for step in plan.steps:
        yield from textwrap.wrap(
            f"{step.place.value}: {step.statement}",
            WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield f"    ({step.why})"


def table_lines(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in [titles, *rows]) for place in range(len(titles) - 1)]
    for row in [titles, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        indent = " " * (sum(widths) + 2 * len(widths) + 2)
        remark = textwrap.wrap(row[-1], max(30, WIDTH - len(indent))) or [""]
        yield ("  " + "  ".join([*cells, remark[0]])).rstrip()
        yield from (indent + line for line in remark[1:])
