"""Where a page of rows begins and ends. Rows of several symbols are ordered by (time, symbol, id);
a cursor is the position of a page's last row in that order, so rows that share a millisecond are
neither lost nor repeated. Knows nothing of Cassandra."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

from pipeline.symbols import LISTED_CHARACTER, is_symbol

# Characters that a symbol may not have are percent-encoded (% is one of them), so that paging works
# whatever is stored.
CURSOR = f"[0-9]{{1,15}}:({LISTED_CHARACTER}|%[0-9A-F]{{2}}){{1,300}}:[0-9]{{1,18}}"
# The column that tells rows with the same symbol and time apart, in the tables that have it.
ID_COLUMN = "trade_id"
MIN_ID, MAX_ID = -(2**63), 2**63 - 1


class Key(NamedTuple):
    """A row's position among those of its symbol. In tables without an id column, which have one
    row per symbol and time, `id` is 0."""

    time_ms: int
    id: int


# Below and above the keys of all rows.
FIRST, LAST = Key(-1, MAX_ID), Key(2**62, MIN_ID)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position of a page's last row."""

    time_ms: int
    symbol: str
    id: int

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """The inverse of `str(cursor)`; `text` matches CURSOR."""
        time_ms, symbol, row_id = text.split(":")
        return cls(int(time_ms), unquote(symbol), int(row_id))

    @classmethod
    def at(cls, row: dict[str, Any], time: str) -> "Cursor":
        """The position of `row`, whose time is in the column `time`."""
        return cls(row[time], row["symbol"], row.get(ID_COLUMN, 0))

    def __str__(self) -> str:
        symbol = "".join(each if is_symbol(each) else encoded(each) for each in self.symbol)
        return f"{self.time_ms}:{symbol}:{self.id}"


@dataclass(frozen=True, slots=True)
class Span:
    """The rows of one symbol strictly between two keys, to be read forward (oldest first) or
    backward."""

    above: Key
    below: Key
    forward: bool


def span(from_ms: int | None, to_ms: int | None, forward: bool, cursor: Cursor | None, symbol: str) -> Span:
    """The rows of `symbol` that remain to be read: from inclusive, to exclusive, beyond the cursor
    in the direction of reading."""
    above = FIRST if from_ms is None else before(from_ms)
    below = LAST if to_ms is None else Key(to_ms, MIN_ID)
    if cursor is None:
        return Span(above, below, forward)
    if symbol == cursor.symbol:
        end = Key(cursor.time_ms, cursor.id)
    elif symbol < cursor.symbol:
        end = Key(cursor.time_ms, MAX_ID)  # this symbol's rows of that time come before the cursor's
    else:
        end = before(cursor.time_ms)
    if forward:
        return Span(max(above, end), below, forward)
    return Span(above, min(below, end if symbol == cursor.symbol else after(end)), forward)


def key_of(row: dict[str, Any], time: str) -> Key:
    """The key of a row whose time is in the column `time`."""
    return Key(row[time], row.get(ID_COLUMN, 0))


def before(time_ms: int) -> Key:
    """Below every row of this millisecond and above every earlier row."""
    return Key(time_ms - 1, MAX_ID)


def after(end: Key) -> Key:
    """The same border as an upper end, which must lie above it: the first key of the next
    millisecond."""
    return Key(end.time_ms + 1, MIN_ID)


def encoded(character: str) -> str:
    """The character as UTF-8, percent-encoded."""
    return "".join(f"%{byte:02X}" for byte in character.encode())
