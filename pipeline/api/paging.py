"""Where a page of rows begins and ends. Rows of several symbols are in the order of (time, symbol,
id); a cursor is that position of a page's last row, so rows that share a millisecond are neither
lost nor repeated. Knows no store."""

from dataclasses import dataclass
from typing import Any, NamedTuple

CURSOR = "[0-9]{1,15}:[A-Z0-9._-]{1,20}:[0-9]{1,18}"
MIN_ID, MAX_ID = -(2**63), 2**63 - 1


class Key(NamedTuple):
    """A row's place among those of its symbol. Tables without an id have one row a moment: `id` is
    0 there."""

    time_ms: int
    id: int


# Before and after all rows.
FIRST, LAST = Key(-1, MAX_ID), Key(2**62, MIN_ID)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page."""

    time_ms: int
    symbol: str
    id: int

    @classmethod
    def read(cls, text: str) -> "Cursor":
        time_ms, symbol, row_id = text.split(":")
        return cls(int(time_ms), symbol, int(row_id))

    @classmethod
    def at(cls, row: dict[str, Any], time: str) -> "Cursor":
        return cls(row[time], row["symbol"], row.get("trade_id", 0))

    def __str__(self) -> str:
        return f"{self.time_ms}:{self.symbol}:{self.id}"


@dataclass(frozen=True, slots=True)
class Span:
    """The rows of one symbol strictly between two keys, read upwards or (newest first)
    downwards."""

    above: Key
    below: Key
    forward: bool


def span(from_ms: int | None, to_ms: int | None, forward: bool, cursor: Cursor | None, symbol: str) -> Span:
    """What is left to read of `symbol`: from inclusive, to exclusive, beyond the cursor in the
    direction read."""
    above = FIRST if from_ms is None else before(from_ms)
    below = LAST if to_ms is None else Key(to_ms, MIN_ID)
    if cursor is None:
        return Span(above, below, forward)
    if symbol == cursor.symbol:
        end = Key(cursor.time_ms, cursor.id)
    elif symbol < cursor.symbol:
        end = Key(cursor.time_ms, MAX_ID)  # a row of that moment comes before the cursor's
    else:
        end = before(cursor.time_ms)
    if forward:
        return Span(max(above, end), below, forward)
    return Span(above, min(below, end if symbol == cursor.symbol else after(end)), forward)


def before(time_ms: int) -> Key:
    """Below every row of this moment and above every earlier one."""
    return Key(time_ms - 1, MAX_ID)


def after(end: Key) -> Key:
    """The same border seen from above, where a span's upper end wants it: `before(t)` of the next
    millisecond."""
    return Key(end.time_ms + 1, MIN_ID)
