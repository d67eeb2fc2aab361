"""What downsampled answers have in common: the range, the number of points, the order of rows.
Knows no store."""

from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

from pipeline.api.query import Query
from pipeline.api.store import Row
from pipeline.tables import TABLES
from pipeline.times import DAY_MS


class Sampled(NamedTuple):
    """Rows ascending by (time, symbol). `complete_from`: what is older was not read; None when all
    was."""

    rows: list[Row]
    complete_from: int | None = None


def range_of(query: Query, now_ms: int) -> tuple[int, int]:
    """The last day unless said otherwise: from inclusive, to exclusive."""
    to_ms = now_ms + 1 if query.to_ms is None else query.to_ms
    return (max(0, to_ms - DAY_MS) if query.from_ms is None else query.from_ms), max(to_ms, query.from_ms or 0)


def points_each(query: Query, most: int | None = None) -> int:
    """Buckets of one symbol: all symbols together have at most `points` rows, or `most` if that is
    less."""
    rows = query.points if most is None else min(query.points, most)
    return max(1, rows // len(query.symbols))


def in_order(rows: Iterable[Row], table: str) -> list[Row]:
    return sorted(rows, key=itemgetter(TABLES[table].time, "symbol"))
