"""A changed row as Redis keeps it: one line of JSON, numbers exact, times as ms since 1970. A
reader that takes the numbers for doubles gets those that Cassandra holds. Knows no server."""

import math
import re
from collections.abc import Callable
from typing import Any

import orjson

from pipeline.changes import Change
from pipeline.errors import UnwritableRecord
from pipeline.redis_keys import CURRENT_TABLES
from pipeline.tables import BOOKS, DATA_SOURCE, INSTRUMENTS, NUMBER, PRICES, STATS, TEXT, TIME, WHOLE
from pipeline.times import iso_to_ms

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# Debezium's words for values that JSON has no number for.
NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity", "NAN", "POSITIVE_INFINITY", "NEGATIVE_INFINITY"})
NULL = b"null"

Encoder = Callable[[Any], bytes]


def number(value: Any) -> bytes:
    """The digits that PostgreSQL sent; a whole number gets `.0`, so that readers see a number with
    decimals in every row. Raises ValueError for what a double cannot hold."""
    text = str(value)
    if not JSON_NUMBER.fullmatch(text):
        if text in NOT_FINITE:
            return NULL
        raise ValueError(f"{text[:50]!r} is no number")
    if not math.isfinite(float(text)):
        raise ValueError(f"{text[:50]} is too large for a double")
    return text.encode() if "." in text or "e" in text or "E" in text else f"{text}.0".encode()


ENCODERS: dict[str, Encoder] = {
    NUMBER: number,
    WHOLE: lambda value: b"%d" % value,
    TIME: lambda text: b"%d" % iso_to_ms(text),
    TEXT: orjson.dumps,
}
BOOK_COLUMNS = {
    "symbol": TEXT,
    "last_update_id": WHOLE,
    "best_bid": NUMBER,
    "bid_quantity": NUMBER,
    "best_ask": NUMBER,
    "ask_quantity": NUMBER,
    "updated_at": TIME,
}
COLUMNS = {
    PRICES.name: PRICES.columns,
    STATS.name: STATS.columns,
    INSTRUMENTS.name: INSTRUMENTS.columns,
    BOOKS.name: BOOK_COLUMNS,
    DATA_SOURCE: {"id": WHOLE, "name": TEXT, "base_url": TEXT, "updated_at": TIME},
}
# (column, its name in JSON, encoder) of each table.
LAYOUT = {
    table: [(name, orjson.dumps(name) + b":", ENCODERS[kind]) for name, kind in COLUMNS[table].items()]
    for table in CURRENT_TABLES
}
KEYS = {table: "id" if table == DATA_SOURCE else "symbol" for table in CURRENT_TABLES}


def key_of(change: Change) -> str:
    """The row's field in the hash of its table. Raises UnwritableRecord."""
    key = change.row.get(KEYS.get(change.table, "symbol"))
    if key is None:
        raise UnwritableRecord(f"{change.table}: a row without its key")
    return str(key)


def encoded(change: Change) -> bytes:
    """The row after the change; empty for a delete. Raises UnwritableRecord."""
    if change.deleted:
        return b""
    row = change.row
    try:
        if change.table == BOOKS.name:
            row = with_best_levels(row)
        parts = [
            title + (NULL if (value := row.get(name)) is None else encode(value))
            for name, title, encode in LAYOUT[change.table]
        ]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UnwritableRecord(f"{change.table}: {type(error).__name__} {error}") from error
    return b"{%b}" % b",".join(parts)


def with_best_levels(row: dict[str, Any]) -> dict[str, Any]:
    """The book with its first level on each side; null where a side is empty."""
    bids, asks = orjson.loads(row["bids"]), orjson.loads(row["asks"])
    best_bid, bid_quantity = bids[0] if bids else (None, None)
    best_ask, ask_quantity = asks[0] if asks else (None, None)
    return {
        **row,
        "best_bid": best_bid,
        "bid_quantity": bid_quantity,
        "best_ask": best_ask,
        "ask_quantity": ask_quantity,
    }
