"""How a range of time is divided into buckets, and the one row that a bucket's rows are aggregated
to. Knows nothing of Cassandra.

Aggregated rows can be aggregated again (`aggregate_prices` of aggregated rows is `aggregate_prices`
of all their rows), so that rows aggregated for narrow buckets serve wider ones too."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from pipeline.api.store import Row
from pipeline.intervals import LADDER, MINUTE_MS
from pipeline.times import DAY_MS, HOUR_MS

SECOND_MS = 1000
STEPS = (100, 200, 500, *(n * SECOND_MS for n in (1, 2, 5, 10, 15, 30)), *LADDER)
PIECES = tuple(n * MINUTE_MS for n in (5, 6, 10, 15, 20, 30))

# (start of the bucket in ms, its rows ascending by time) to one row.
Aggregation = Callable[[int, Sequence[Row]], Row]


class Piece(NamedTuple):
    """A part of one symbol's range (and one horizon's, of forecasts) that is read at once."""

    symbol: str
    start_ms: int
    end_ms: int
    horizon: str = ""


def bucket_ms(from_ms: int, to_ms: int, max_buckets: int, steps: Iterable[int] = STEPS, unit: int = DAY_MS) -> int:
    """The smallest step with at most `max_buckets` buckets between from and to; beyond the steps, a
    multiple of `unit`."""
    for step in steps:
        if count_buckets(from_ms, to_ms, step) <= max_buckets:
            return step
    units = max(1, -(-(to_ms - from_ms) // (max_buckets * unit)))
    while count_buckets(from_ms, to_ms, units * unit) > max_buckets:
        # A range can touch one bucket more than its length suggests; if only one bucket is allowed,
        # it must be wide enough to hold both ends.
        units *= 2
    return units * unit


def count_buckets(from_ms: int, to_ms: int, width: int) -> int:
    """How many buckets, counted from 1970, the range touches."""
    return 0 if to_ms <= from_ms else (to_ms - 1) // width - from_ms // width + 1


def piece_ms(width: int) -> int:
    """The length of the pieces in which a part of an hour is read: minutes that are a multiple of
    the bucket's width or divide it."""
    return next(piece for piece in PIECES if piece % width == 0 or width % piece == 0)


def aggregate_buckets(rows: Iterable[Row], time: str, width: int, aggregation: Aggregation) -> list[Row]:
    """One row per bucket, from rows ascending by time."""
    return [aggregation(start * width, list(group)) for start, group in groupby(rows, lambda row: row[time] // width)]


def aggregate_prices(start_ms: int, rows: Sequence[Row]) -> Row:
    """The time is that of the last change."""
    last = rows[-1]
    return {"symbol": last["symbol"], "updated_at": last["updated_at"], **first_last_min_max(rows)}


def aggregate_trades(start_ms: int, rows: Sequence[Row]) -> Row:
    """The time is the bucket's start."""
    return {
        "symbol": rows[0]["symbol"],
        "trade_time": start_ms,
        **first_last_min_max(rows),
        "quantity": sum(row["quantity"] for row in rows),
        "quote_quantity": sum(row["quote_quantity"] for row in rows),
        "buy_quantity": sum(buy_quantity(row) for row in rows),
        "sell_quantity": sum(sell_quantity(row) for row in rows),
        "trades": sum(row.get("trades", 1) for row in rows),
    }


def buy_quantity(row: Row) -> float:
    """What takers bought: the column of an aggregated row; of a trade its quantity, if the seller
    was the maker."""
    if "buy_quantity" in row:
        return row["buy_quantity"]
    return 0 if row["is_buyer_maker"] else row["quantity"]


def sell_quantity(row: Row) -> float:
    """What takers sold: the counterpart of `buy_quantity`."""
    if "sell_quantity" in row:
        return row["sell_quantity"]
    return row["quantity"] if row["is_buyer_maker"] else 0


def first_last_min_max(rows: Sequence[Row]) -> Row:
    """The prices of a bucket; `price` is the last one, as in a row that is not aggregated."""
    first = rows[0]
    return {
        "first_price": first["first_price"] if "first_price" in first else first["price"],
        "price": rows[-1]["price"],
        "min_price": min(row["min_price"] if "min_price" in row else row["price"] for row in rows),
        "max_price": max(row["max_price"] if "max_price" in row else row["price"] for row in rows),
    }


def hour_pieces(
    from_ms: int, to_ms: int, width: int, settled_before_ms: int, hours: Iterable[int]
) -> list[tuple[int, int]]:
    """The (start, end) of every read, newest first: settled hours as a whole, and pieces of hours
    that the range cuts or that are not settled."""
    pieces: list[tuple[int, int]] = []
    for hour in hours:
        start, end = max(hour, from_ms), min(hour + HOUR_MS, to_ms)
        if start == hour and end == hour + HOUR_MS <= settled_before_ms:
            pieces.append((start, end))
        else:
            pieces += split(start, end, piece_ms(width))
    return pieces


def split(start_ms: int, end_ms: int, width: int) -> Iterator[tuple[int, int]]:
    """The (start, end) of the parts of a range that is cut at the multiples of `width`, newest
    first."""
    while end_ms > start_ms:
        part_start = max(start_ms, (end_ms - 1) // width * width)
        yield part_start, end_ms
        end_ms = part_start
