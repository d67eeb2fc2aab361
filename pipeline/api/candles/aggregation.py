"""How longer candles are made from shorter ones. Knows no store."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from pipeline.api.exact import exact_sum
from pipeline.api.store import Row
from pipeline.intervals import floor_ms, interval_ms, origin_ms

SUMMED = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume")


def length_ms(interval: str) -> int:
    """Milliseconds of an interval with a fixed length. Raises ValueError for a month; callers
    exclude it, because no other interval is aggregated to a month (base_of)."""
    length = interval_ms(interval)
    if length is None:
        raise ValueError(f"{interval} has no fixed length")
    return length


def parts_per_candle(interval: str, base: str) -> int:
    """How many stored candles one candle is aggregated from."""
    return 1 if interval == base else length_ms(interval) // length_ms(base)


def aggregate_candles(rows: Iterator[Row], interval: str, parts: int) -> Iterator[Row]:
    """Longer candles from shorter ones, in the same direction, ascending or descending."""
    length, origin = length_ms(interval), origin_ms(interval)
    for open_time, group in groupby(rows, lambda row: floor_ms(row["open_time"], length, origin)):
        ascending = sorted(group, key=lambda row: row["open_time"])
        yield aggregate_candle(ascending, interval, open_time, length, parts)


def aggregate_candle(rows: Sequence[Row], interval: str, open_time: int, length: int, parts: int) -> Row:
    """One candle from its parts, which ascend. It is closed if all parts are present and closed."""
    return {
        **rows[-1],
        "interval": interval,
        "open_time": open_time,
        "close_time": open_time + length - 1,
        "open_price": rows[0]["open_price"],
        "high_price": aggregate(max, rows, "high_price"),
        "low_price": aggregate(min, rows, "low_price"),
        **{name: aggregate(exact_sum, rows, name) for name in SUMMED},
        "number_of_trades": aggregate(sum, rows, "number_of_trades"),
        "is_closed": len(rows) == parts and all(row["is_closed"] for row in rows),
        "updated_at": aggregate(max, rows, "updated_at"),
    }


def aggregate(function: Callable[[list[Any]], Any], rows: Sequence[Row], name: str) -> Any:
    """`function` of the column's values; None if all are null."""
    values = [row[name] for row in rows if row[name] is not None]
    return function(values) if values else None
