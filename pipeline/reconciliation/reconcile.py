"""One comparison of the whole pipeline, with or without repair. Knows the order: the exchange
first, because what PostgreSQL lacks comes to Cassandra through the stream. Prints nothing."""

from collections.abc import Callable, Iterable

from pipeline import cassandra_session
from pipeline.errors import PipelineError
from pipeline.reconciliation.catalogue import Catalogue
from pipeline.reconciliation.compare import Comparison, TableResult, label_of
from pipeline.reconciliation.connections import Sides
from pipeline.reconciliation.repair import Repair
from pipeline.reconciliation.report import MAX_LISTED, Report
from pipeline.reconciliation.settle import Difference, settle
from pipeline.reconciliation.shown import described
from pipeline.reconciliation.states import States
from pipeline.reconciliation.targets import Target
from pipeline.settings import Settings
from pipeline.stopping import Stop


class Reconciliation:
    """Compares PostgreSQL with Cassandra. `pace`: see Comparison."""

    def __init__(self, settings: Settings, sides: Sides, stop: Stop, pace: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._sides = sides
        self._stop = stop
        self._pace = pace
        self.catalogue = Catalogue(sides, settings.CASSANDRA_KEYSPACE)

    def compare(self, targets: Iterable[Target], report: Report) -> None:
        """Adds what it finds. Raises StreamStands, StoreUnavailable, psycopg2 errors."""
        for target in targets:
            self._compare(target, report, lambda _target, _differences: None)

    def compare_and_repair(self, targets: Iterable[Target], report: Report) -> None:
        """The same, and writes what differs into Cassandra, as it is found."""
        session = cassandra_session.login(self._settings, "crypto_writer", self._settings.CASSANDRA_WRITER_PASSWORD)
        repair = Repair(session, self._settings.CASSANDRA_KEYSPACE, self._sides, self._stop)
        try:
            for target in targets:
                self._compare(target, report, lambda *found: self._repair(repair, report, *found))
        finally:
            session.cluster.shutdown()

    def _compare(self, target: Target, report: Report, found: Callable[[Target, list[Difference]], None]) -> None:
        comparison = Comparison(self._sides, self._sides.connection, self._stop, self._pace, found)
        add_result(report, target, comparison.run(target, report.window))

    def _repair(self, repair: Repair, report: Report, target: Target, differences: list[Difference]) -> None:
        """Writes, then looks whether the rows are equal now."""
        try:
            repair.write(target, differences)
        except PipelineError as error:
            report.unfixed.append(f"{len(differences):,} rows of {target.shown}: {error}")
            return
        identities = [each.identity for each in differences]
        left = settle(States(target), self._sides, identities, self._stop).differences
        report.repaired = (report.repaired or 0) + len(differences) - len(left)
        for reason, count in reasons(target, left).items():
            report.unfixed.append(f"{count:,} rows of {target.shown}: {reason}")


def reasons(target: Target, left: list[Difference]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in left:
        if each.expected is None and not target.pair.removes_extra:
            reason = "PostgreSQL does not have them; history is left as it is"
        else:
            reason = (
                "Cassandra has them with a write time that is later than PostgreSQL's clock, or a newer row of history;"
                " until then no change of them is visible"
            )
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def add_result(report: Report, target: Target, result: TableResult) -> None:
    label = label_of(target)
    for name, rows in result.rows.items():
        report.line(target.shown, name).rows += rows
    if not result.rows and not result.differences:
        report.line(target.shown, "")
    for each in result.differences:
        line = report.line(target.shown, label(each.identity))
        setattr(line, each.kind, getattr(line, each.kind) + 1)
        if len(report.differences) < MAX_LISTED:
            report.add(described(target, each))
    if result.unwritable:
        report.notes.append(f"{target.shown}: {result.unwritable:,} rows are dead letters, and older in Cassandra")
    if result.restless:
        report.notes.append(f"{target.shown}: {result.restless:,} rows changed all the time and were not judged")
