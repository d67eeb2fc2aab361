"""Whether PostgreSQL has what the exchange says, and what is missing or different. Knows how pages
are compared; knows neither endpoints nor SQL."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg2.extensions import cursor as Cursor

from pipeline.errors import ExchangeError, UnknownSymbol
from pipeline.producer.batch import Row
from pipeline.reconciliation.exchange_calls import ExchangeCalls
from pipeline.reconciliation.exchange_series import Page, Series
from pipeline.reconciliation.report import EXCHANGE, Report
from pipeline.stopping import Stop
from pipeline.tables import Table
from pipeline.times import datetime_to_ms, ms_to_iso

SIDES = (EXCHANGE, "PostgreSQL")


@dataclass(slots=True)
class Wrong:
    """Rows of the exchange that PostgreSQL lacks or has with other values."""

    missing: list[Row] = field(default_factory=list)
    different: list[Row] = field(default_factory=list)


def compare_exchange(
    series: Iterable[Series],
    calls: ExchangeCalls,
    snapshot: Callable[[], AbstractContextManager[Cursor]],
    report: Report,
    stop: Stop,
    repair: Callable[[Table, Wrong], int] | None = None,
) -> None:
    """Adds what it finds to the report; a request that fails ends it. A symbol that the exchange
    does not know is a note. Raises psycopg2 errors."""
    for each in series:
        shown = f"{each.table.name} (exchange)"
        try:
            with snapshot() as cursor:
                for page in each.pages(calls, cursor):
                    compare_page(each, shown, page, cursor, report, repair)
                    if stop.requested:
                        return
        except UnknownSymbol as error:
            report.notes.append(f"{shown}: {error}")
        except ExchangeError as error:
            report.not_compared[EXCHANGE] = f"from {each.label} of {each.table.name} on: {error}"
            return


def compare_page(
    series: Series,
    shown: str,
    page: Page,
    cursor: Cursor,
    report: Report,
    repair: Callable[[Table, Wrong], int] | None,
) -> None:
    stored, wrong = series.stored(cursor, page), Wrong()
    line = report.line(shown, series.label)
    line.rows += len(page.rows)
    for key, row in page.rows.items():
        found = stored.pop(key, None)
        if found is None:
            wrong.missing.append(row)
        elif any(found[name] != row[name] for name in found):
            wrong.different.append(row)
            report.add(described(shown, series.table, "different", row, found))
    for row in wrong.missing:
        report.add(described(shown, series.table, "missing", row, None))
    extra = [row for key, row in stored.items() if key not in page.unknown]
    for row in extra:
        report.add(described(shown, series.table, "extra", None, row))
    line.missing += len(wrong.missing)
    line.different += len(wrong.different)
    line.extra += len(extra)
    if repair is None:
        return
    if wrong.missing or wrong.different:
        report.repaired = (report.repaired or 0) + repair(series.table, wrong)
    if extra:
        report.unfixed.append(f"{len(extra):,} rows of {series.table.name} {series.label}: the exchange has none such")


def described(shown: str, table: Table, kind: str, right: Row | None, found: Row | None) -> dict[str, Any]:
    """As shown.described, with the exchange in place of PostgreSQL."""
    either = right or found or {}
    values = {
        name: [plain(right, name), plain(found, name)]
        for name in either
        if name not in table.key and not (right and found and right[name] == found[name])
    }
    key = {name: plain(either, name) for name in table.key}
    return {"table": shown, "kind": kind, "key": key, "values": values, "sides": SIDES}


def plain(row: Row | None, name: str) -> Any:
    """A value that JSON can hold."""
    value = None if row is None else row.get(name)
    if isinstance(value, datetime):
        return ms_to_iso(datetime_to_ms(value))
    return value if value is None or isinstance(value, str | int | bool) else str(value)
