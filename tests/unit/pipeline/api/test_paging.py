"""Every page size over rows with many equal times, with spans and cursors only."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.api.paging import CURSOR, Cursor, Key, span

SYMBOLS = ("A", "B", "C")


def read(rows, from_ms, to_ms, forward, cursor, limit):
    """One page as a store would return it for the spans, in the direction of reading, and whether
    there are more rows."""
    found = []
    for symbol in SYMBOLS:
        remaining = span(from_ms, to_ms, forward, cursor, symbol)
        found += [
            row
            for row in rows
            if row["symbol"] == symbol and remaining.above < Key(row["trade_time"], row["trade_id"]) < remaining.below
        ]
    found.sort(key=lambda row: (row["trade_time"], row["symbol"], row["trade_id"]), reverse=not forward)
    return found[:limit], len(found) > limit


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 100])
@pytest.mark.parametrize("seed", range(5))
def test_pages_hold_every_row_once_and_in_order(forward, limit, seed):
    chance = random.Random(seed)
    rows = [{"symbol": chance.choice(SYMBOLS), "trade_time": chance.randrange(5, 9), "trade_id": n} for n in range(60)]
    from_ms, to_ms = 5, 8
    cursor, seen, more = None, [], True
    while more:
        page, more = read(rows, from_ms, to_ms, forward, cursor, limit)
        seen += page
        cursor = Cursor.read(str(Cursor.at(page[-1], "trade_time"))) if page else None
    wanted = [row for row in rows if from_ms <= row["trade_time"] < to_ms]
    wanted.sort(key=lambda row: (row["trade_time"], row["symbol"], row["trade_id"]), reverse=not forward)
    assert seen == wanted


def test_span_is_from_inclusive_to_exclusive():
    whole = span(5, 8, True, None, "A")
    assert whole.above < Key(5, 0)
    assert not whole.above < Key(4, 2**62)
    assert Key(7, 2**62) < whole.below
    assert not Key(8, 0) < whole.below


@given(st.integers(0, 10**15 - 1), st.text(min_size=1, max_size=20).filter(str.isprintable), st.integers(0, 10**18 - 1))
def test_cursor_of_any_stored_symbol_is_one_that_a_request_may_have(time_ms, symbol, row_id):
    cursor = Cursor(time_ms, symbol, row_id)
    assert re.fullmatch(CURSOR, str(cursor))
    assert Cursor.read(str(cursor)) == cursor
