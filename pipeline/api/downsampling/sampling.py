"""What all downsampled reads have in common: the range, the number of points, the order of rows.
Knows nothing of Cassandra."""

from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

from pipeline.api.query import Query
from pipeline.api.store import Row
from pipeline.tables import Table
from pipeline.times import DAY_MS


class Downsampled(NamedTuple):
    """Rows ascending by (time, symbol). `complete_from`: older rows were not read; None if all
    were."""

    rows: list[Row]
    complete_from: int | None = None


def range_of(query: Query, now_ms: int) -> tuple[int, int]:
    """From inclusive, to exclusive; the last day unless given."""
    to_ms = now_ms + 1 if query.to_ms is None else query.to_ms
    if query.from_ms is None:
        return max(0, to_ms - DAY_MS), to_ms
    return query.from_ms, max(to_ms, query.from_ms)


def points_per_symbol(query: Query, max_points: int | None = None) -> int:
    """Buckets of one symbol, such that all symbols together have at most `points` rows, or
    `max_points` if that is less."""
    points = query.max_rows if max_points is None else min(query.max_rows, max_points)
    return max(1, points // len(query.symbols))


def sorted_by_time(rows: Iterable[Row], table: Table) -> list[Row]:
    return sorted(rows, key=itemgetter(table.time, "symbol"))
