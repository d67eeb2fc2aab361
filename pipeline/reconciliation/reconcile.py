"""One comparison of the whole pipeline, with or without repair. Knows the order: the exchange
first, because what PostgreSQL lacks comes to Cassandra through the stream. Prints nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext

from pipeline import postgres
from pipeline.errors import PipelineError, StoreUnavailable
from pipeline.reconciliation.cassandra_side import CassandraSide
from pipeline.reconciliation.chunks import first_trade_day_ms
from pipeline.reconciliation.compare import Comparison, TableResult, label_of
from pipeline.reconciliation.connections import Sides
from pipeline.reconciliation.cut import StreamStands
from pipeline.reconciliation.exchange_calls import ExchangeCalls
from pipeline.reconciliation.exchange_compare import compare_exchange
from pipeline.reconciliation.exchange_repair import ExchangeRepair
from pipeline.reconciliation.exchange_series import Candles, Series, Trades
from pipeline.reconciliation.redis_side import RedisSide
from pipeline.reconciliation.repair import Repair
from pipeline.reconciliation.report import MAX_LISTED, REDIS, Report
from pipeline.reconciliation.settle import Difference, settle
from pipeline.reconciliation.shown import described
from pipeline.reconciliation.side import Side, Writer
from pipeline.reconciliation.states import States
from pipeline.reconciliation.targets import Target, Way
from pipeline.reconciliation.window import Window
from pipeline.settings import Settings
from pipeline.stopping import Stop
from pipeline.tables import KLINES, TRADES


class Reconciliation:
    """`names`: the tables, of PostgreSQL or Cassandra; None for all. `pace`: see Comparison."""

    def __init__(
        self,
        settings: Settings,
        sides: Sides,
        stop: Stop,
        names: frozenset[str] | None = None,
        pace: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._sides = sides
        self._stop = stop
        self._names = names
        self._pace = pace

    def exchange(self, report: Report, window: Window, repairs: bool) -> None:
        """The exchange and PostgreSQL. Raises psycopg2 errors."""
        series = self._series(report, window)
        if not series:
            return
        with closing(ExchangeCalls(self._settings, self._stop)) as calls, self._producer(repairs) as repair:
            compare_exchange(series, calls, self._sides.snapshot, report, self._stop, repair.write if repair else None)

    def stores(self, report: Report, repairs: bool) -> None:
        """PostgreSQL and Cassandra; PostgreSQL and Redis, if that is used. Raises StreamStands,
        StoreUnavailable, psycopg2 errors."""
        self._compare(CassandraSide(self._settings, self._sides), report, repairs)
        if self._sides.redis is None or self._stop.requested:
            return
        try:
            self._compare(RedisSide(self._settings, self._sides, self._sides.redis), report, repairs)
        except (StoreUnavailable, StreamStands) as error:
            report.not_compared[REDIS] = str(error)

    def _compare(self, side: Side, report: Report, repairs: bool) -> None:
        targets = side.targets(self._names)
        report.notes += side.notes
        with side.writer() if repairs else nullcontext() as writer:

            def found(target: Target, differences: list[Difference]) -> None:
                if writer is not None:
                    self._repair(writer, side, report, target, differences)

            comparison = Comparison(side, self._sides.connection, self._stop, self._pace, found)
            for result in comparison.run(targets, report.window):
                add_result(report, result)

    def _series(self, report: Report, window: Window) -> list[Series]:
        """The tracked symbols, unless the rows come from another exchange than the settings say."""
        with self._sides.snapshot() as cursor:
            cursor.execute("SELECT name, base_url FROM data_source WHERE id = 1")
            source = cursor.fetchone()
        if source is None or source[1] != self._settings.BINANCE_BASE_URL:
            if source is not None:
                address = self._settings.BINANCE_BASE_URL
                report.notes.append(f"not compared with the exchange {address}: the rows come from {source[1]}")
            return []
        found: list[Series] = []
        first_ms = first_trade_day_ms(self._sides.connection)
        for symbol in self._settings.SYMBOLS:
            if self._is_wanted(TRADES.name) and first_ms is not None:
                found.append(Trades(symbol, window.since(first_ms)))
            if self._is_wanted(KLINES.name):
                found += [Candles(symbol, interval, window) for interval in self._settings.KLINE_INTERVALS]
        return found

    def _is_wanted(self, name: str) -> bool:
        return self._names is None or name in self._names

    @contextmanager
    def _producer(self, repairs: bool) -> Iterator[ExchangeRepair | None]:
        if not repairs:
            yield None
            return
        settings = self._settings.override(PGUSER="crypto_producer", PGPASSWORD=self._settings.PRODUCER_PASSWORD)
        with closing(postgres.connect(settings, "reconcile")) as connection:
            yield ExchangeRepair(connection)

    def _repair(
        self, writer: Writer, side: Side, report: Report, target: Target, differences: list[Difference]
    ) -> None:
        """Writes, then looks whether the rows are equal now."""
        try:
            Repair(writer, side, self._stop).write(target, differences)
        except PipelineError as error:
            report.unfixed.append(f"{len(differences):,} rows of {target.shown}: {error}")
            return
        identities = [each.identity for each in differences]
        left = settle({target: (States(target), identities)}, side, self._stop)[target].differences
        report.repaired = (report.repaired or 0) + len(differences) - len(left)
        for reason, count in reasons(target, left).items():
            report.unfixed.append(f"{count:,} rows of {target.shown}: {reason}")


def reasons(target: Target, left: list[Difference]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in left:
        if each.expected is None and not target.pair.removes_extra:
            reason = "PostgreSQL does not have them; history is left as it is"
        else:
            newer = ", or a newer row of history" if target.pair.way is Way.NEWEST else ""
            reason = (
                f"{target.stored.store} has them with a version that is later than PostgreSQL's clock{newer};"
                " until then no change of them is visible"
            )
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def add_result(report: Report, result: TableResult) -> None:
    target, label = result.target, label_of(result.target)
    for name, rows in result.rows.items():
        report.line(target.shown, name).rows += rows
    if not result.rows and not result.differences:
        report.line(target.shown, "")
    for each in result.differences:
        line = report.line(target.shown, label(each.identity))
        setattr(line, each.kind, getattr(line, each.kind) + 1)
        if len(report.differences) < MAX_LISTED:
            report.add(described(target, each))
    report.unjudged += result.unwritable + result.restless
    if result.unwritable:
        store = target.stored.store
        report.notes.append(f"{target.shown}: {result.unwritable:,} rows are dead letters, and older in {store}")
    if result.restless:
        report.notes.append(f"{target.shown}: {result.restless:,} rows changed all the time and were not judged")
