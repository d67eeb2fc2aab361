from itertools import pairwise

import pytest

from pipeline.api.downsampling.buckets import (
    PIECES,
    STEPS,
    aggregate_buckets,
    aggregate_prices,
    aggregate_trades,
    bucket_ms,
    count_buckets,
    hour_pieces,
    piece_ms,
)
from pipeline.intervals import LADDER
from pipeline.times import DAY_MS, HOUR_MS

T0 = 1_774_742_400_000


@pytest.mark.parametrize("length", [1, 999, 60_000, HOUR_MS, DAY_MS, 7 * DAY_MS, 366 * DAY_MS, 56 * 365 * DAY_MS])
@pytest.mark.parametrize("max_buckets", [1, 2, 3, 100, 300, 5000])
@pytest.mark.parametrize("offset", [0, 1, 29_999, HOUR_MS - 1])
def test_buckets_are_at_most_the_maximum_and_the_step_is_the_smallest(length, max_buckets, offset):
    width = bucket_ms(T0 + offset, T0 + offset + length, max_buckets)
    assert count_buckets(T0 + offset, T0 + offset + length, width) <= max_buckets
    smaller = [step for step in STEPS if step < width]
    assert not smaller or count_buckets(T0 + offset, T0 + offset + length, smaller[-1]) > max_buckets


def test_empty_range_has_no_buckets():
    assert count_buckets(T0, T0, 1000) == 0
    assert bucket_ms(T0, T0, 1) == STEPS[0]


@pytest.mark.parametrize("width", STEPS)
def test_pieces_divide_hours_and_are_multiples_or_divisors_of_the_bucket_width(width):
    piece = piece_ms(width)
    assert piece % width == 0 or width % piece == 0
    assert HOUR_MS % piece == 0
    assert set(PIECES) & {piece}
    assert width in LADDER or width < 60_000


@pytest.mark.parametrize("width", [1000, 60_000, 120_000, HOUR_MS, DAY_MS])
@pytest.mark.parametrize(("start", "end"), [(0, 3 * HOUR_MS), (1, 3 * HOUR_MS - 1), (5, 6), (HOUR_MS, HOUR_MS + 1)])
def test_pieces_cover_the_range_once_newest_first(width, start, end):
    hours = [T0 + n * HOUR_MS for n in (2, 1, 0)]
    pieces = hour_pieces(T0 + start, T0 + end, width, T0 + 2 * HOUR_MS, hours)
    assert pieces == sorted(pieces, reverse=True)
    assert (pieces[-1][0], pieces[0][1]) == (T0 + start, T0 + end)
    assert all(later[0] == earlier[1] for later, earlier in pairwise(pieces))


def prices(count):
    return [{"symbol": "X", "updated_at": 10 * n, "price": float((n * 37) % 101)} for n in range(count)]


def trades(count):
    return [
        {
            "symbol": "X",
            "trade_time": 10 * n,
            "price": float((n * 37) % 101),
            "quantity": float(n % 5),
            "quote_quantity": 1.0,
            "is_buyer_maker": n % 3 == 0,
        }
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("rows", "time", "aggregation"),
    [(prices(500), "updated_at", aggregate_prices), (trades(500), "trade_time", aggregate_trades)],
)
@pytest.mark.parametrize("narrow", [50, 100, 250])
def test_aggregating_aggregated_rows_equals_aggregating_all_rows(rows, time, aggregation, narrow):
    assert aggregate_buckets(
        aggregate_buckets(rows, time, narrow, aggregation), time, 1000, aggregation
    ) == aggregate_buckets(rows, time, 1000, aggregation)


def test_taker_sold_when_the_buyer_was_the_maker():
    rows = [dict(row, quantity=2.0) for row in trades(3)]
    (found,) = aggregate_buckets(rows, "trade_time", 1000, aggregate_trades)
    assert (found["sell_quantity"], found["buy_quantity"], found["quantity"], found["trades"]) == (2.0, 4.0, 6.0, 3)
