"""The result of a comparison: a table for a person, JSON for a program. Knows nothing of how rows
are compared."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.reconciliation.shown import line
from pipeline.reconciliation.window import Window

# Differences that are shown, and lines of labels per table; JSON has more.
MAX_SHOWN, MAX_LABELS = 10, 12
MAX_LISTED = 10_000
KINDS = ("missing", "extra", "different")
# What may not be there to be compared; without PostgreSQL or Cassandra there is no report.
EXCHANGE, REDIS = "the exchange", "Redis"


@dataclass(slots=True)
class Line:
    """Counts of one table and label. `missing`, `extra`, `different` as seen from the side that is
    right: PostgreSQL for Cassandra and Redis, the exchange for PostgreSQL."""

    table: str
    label: str = ""
    rows: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0

    @property
    def wrong(self) -> int:
        return self.missing + self.extra + self.different


@dataclass(slots=True)
class Report:
    """`differences`: described, at most MAX_LISTED of them. `repaired`: rows that --repair has
    written and that are right now. `unfixed`: what it could not repair, and why. `notes`: what was
    not compared. `unjudged`: rows that changed all the time, or are dead letters. `not_compared`:
    EXCHANGE, REDIS, if it could not be asked about everything, with the reason."""

    window: Window
    lines: list[Line] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    repaired: int | None = None
    unfixed: list[str] = field(default_factory=list)
    unjudged: int = 0
    not_compared: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    _index: dict[tuple[str, str], Line] = field(default_factory=dict)

    @property
    def wrong(self) -> int:
        return sum(each.wrong for each in self.lines)

    @property
    def is_well(self) -> bool:
        """Whether everything is equal, by itself or after repairs."""
        return not self.not_compared and not self.unfixed and self.wrong == (self.repaired or 0)

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.lines)

    def line(self, table: str, label: str) -> Line:
        """The line of this table and label."""
        found = self._index.get((table, label))
        if found is None:
            found = self._index[table, label] = Line(table, label)
            self.lines.append(found)
        return found

    def add(self, facts: dict[str, Any]) -> None:
        if len(self.differences) < MAX_LISTED:
            self.differences.append(facts)

    def as_json(self) -> str:
        lines = [
            {"table": e.table, "label": e.label, "rows": e.rows, **{kind: getattr(e, kind) for kind in KINDS}}
            for e in self.lines
        ]
        found = {
            "equal": not self.wrong and not self.not_compared,
            "from_ms": self.window.from_ms,
            "to_ms": self.window.to_ms,
            "rows": self.rows,
            "seconds": round(self.seconds, 1),
            "tables": lines,
            "differences": self.differences,
            "notes": self.notes,
            "not_compared": self.not_compared,
        }
        if self.repaired is not None:
            found |= {"repaired": self.repaired, "unfixed": self.unfixed}
        return json.dumps(found)


def text_lines(report: Report) -> Iterator[tuple[str, str]]:
    """(what it is, the line): what is `plain`, `good`, `bad` or `detail`."""
    yield "plain", f"compared: {report.window}"
    yield from table_lines(report)
    for facts in report.differences[:MAX_SHOWN]:
        yield "bad", line(facts)
    if report.wrong > MAX_SHOWN:
        yield "detail", f"… and {report.wrong - min(MAX_SHOWN, len(report.differences)):,} more (--json lists them)"
    for note in report.notes:
        yield "detail", note
    for side, reason in report.not_compared.items():
        yield "bad", f"not compared with {side}: {reason}"
    if report.repaired is not None:
        yield "good", f"{report.repaired:,} rows repaired"
        for reason in report.unfixed:
            yield "bad", f"not repaired: {reason}"
    found = f"{report.rows:,} rows compared in {report.seconds:.0f} s: "
    verdict = f"{report.wrong:,} differ" if report.wrong else "equal"
    if report.not_compared:
        verdict += f", but {' and '.join(report.not_compared)} could not be compared"
    yield "bad" if report.wrong or report.not_compared else "good", found + verdict


def table_lines(report: Report) -> Iterator[tuple[str, str]]:
    cells = [("table", "", "rows", *KINDS)]
    wrong = [False]
    for each in shown_lines(report.lines):
        cells.append(
            (each.table, each.label, f"{each.rows:,}", f"{each.missing:,}", f"{each.extra:,}", f"{each.different:,}")
        )
        wrong.append(each.wrong > 0)
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row, is_wrong in zip(cells, wrong):
        texts = [
            text.ljust(width) if at < 2 else text.rjust(width) for at, (text, width) in enumerate(zip(row, widths))
        ]
        yield "bad" if is_wrong else "plain", "  ".join(texts).rstrip()


def shown_lines(lines: list[Line]) -> Iterator[Line]:
    """Per table: all labels if they are few, else those that differ and the sum of the others."""
    for table in dict.fromkeys(each.table for each in lines):
        own = sorted((each for each in lines if each.table == table), key=lambda each: each.label)
        if len(own) <= MAX_LABELS:
            yield from own
            continue
        wrong = [each for each in own if each.wrong]
        yield from wrong[:MAX_LABELS]
        rest = [each for each in own if each not in wrong[:MAX_LABELS]]
        yield Line(
            table,
            f"{len(rest):,} others" if wrong else f"{len(rest):,} symbols",
            *(sum(getattr(each, name) for each in rest) for name in ("rows", *KINDS)),
        )
