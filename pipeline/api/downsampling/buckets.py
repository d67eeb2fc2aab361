"""How a range of time is divided into buckets, and what is left of the rows of one. Knows no store.

What is left of a bucket can be joined with its neighbour's like rows can (`join_prices` of joined
rows is `join_prices` of them all), so pieces that were joined earlier serve wider buckets too."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from pipeline.api.store import Row
from pipeline.intervals import LADDER, MINUTE_MS
from pipeline.times import DAY_MS, HOUR_MS

SECOND_MS = 1000
STEPS = (100, 200, 500, *(n * SECOND_MS for n in (1, 2, 5, 10, 15, 30)), *LADDER)
PIECES = tuple(n * MINUTE_MS for n in (5, 6, 10, 15, 20, 30))

Join = Callable[[int, Sequence[Row]], Row]


def bucket_ms(from_ms: int, to_ms: int, most: int, steps: Iterable[int] = STEPS, unit: int = DAY_MS) -> int:
    """The smallest step with at most `most` buckets between from and to; beyond the steps, whole
    units."""
    for step in steps:
        if buckets_of(from_ms, to_ms, step) <= most:
            return step
    units = max(1, -(-(to_ms - from_ms) // (most * unit)))
    while buckets_of(from_ms, to_ms, units * unit) > most:
        # The range touches one bucket more than its length tells; with one point only a wide one
        # holds both ends.
        units *= 2
    return units * unit


def buckets_of(from_ms: int, to_ms: int, width: int) -> int:
    """How many buckets, counted from 1970, the range touches."""
    return 0 if to_ms <= from_ms else (to_ms - 1) // width - from_ms // width + 1


def piece_ms(width: int) -> int:
    """The part of an hour that is read at a time where the hour is not whole: some minutes that
    buckets fit into."""
    return next(piece for piece in PIECES if piece % width == 0 or width % piece == 0)


def joined(rows: Iterable[Row], time: str, width: int, join: Join) -> list[Row]:
    """One row a bucket, of rows ascending by time."""
    return [join(start * width, list(group)) for start, group in groupby(rows, lambda row: row[time] // width)]


def join_prices(start_ms: int, rows: Sequence[Row]) -> Row:
    """At the time of the last change."""
    last = rows[-1]
    return {"symbol": last["symbol"], "updated_at": last["updated_at"], **prices_of(rows)}


def join_trades(start_ms: int, rows: Sequence[Row]) -> Row:
    """At the bucket's start."""
    return {
        "symbol": rows[0]["symbol"],
        "trade_time": start_ms,
        **prices_of(rows),
        "quantity": sum(row["quantity"] for row in rows),
        "quote_quantity": sum(row["quote_quantity"] for row in rows),
        "buy_quantity": sum(bought(row) for row in rows),
        "sell_quantity": sum(sold(row) for row in rows),
        "trades": sum(row.get("trades", 1) for row in rows),
    }


def bought(row: Row) -> float:
    """A joined row says it; a trade was bought when its buyer took what was offered."""
    return row["buy_quantity"] if "buy_quantity" in row else 0 if row["is_buyer_maker"] else row["quantity"]


def sold(row: Row) -> float:
    return row["sell_quantity"] if "sell_quantity" in row else row["quantity"] if row["is_buyer_maker"] else 0


def prices_of(rows: Sequence[Row]) -> Row:
    return {
        "first_price": rows[0].get("first_price", rows[0]["price"]),
        "price": rows[-1]["price"],
        "min_price": min(row.get("min_price", row["price"]) for row in rows),
        "max_price": max(row.get("max_price", row["price"]) for row in rows),
    }


def hour_pieces(
    from_ms: int, to_ms: int, width: int, over_before_ms: int, hours: Iterable[int]
) -> list[tuple[int, int]]:
    """The (from, to) of every read, newest first: whole hours that are over, pieces where an hour
    is cut or goes on."""
    found = []
    for hour in hours:
        start, end = max(hour, from_ms), min(hour + HOUR_MS, to_ms)
        if start == hour and end == hour + HOUR_MS <= over_before_ms:
            found.append((start, end))
            continue
        found += pieces_of(start, end, piece_ms(width))
    return found


def pieces_of(start_ms: int, end_ms: int, width: int) -> Iterator[tuple[int, int]]:
    """The (from, to) of a range cut at the multiples of `width`, newest first."""
    while end_ms > start_ms:
        begin = max(start_ms, (end_ms - 1) // width * width)
        yield begin, end_ms
        end_ms = begin
