"""Every number that the API prints is what exact decimal arithmetic gives: from the exchange's
text, through the doubles that Cassandra stores, to the JSON that a client reads."""

import json
from decimal import Decimal
from itertools import accumulate
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.api.books import shown
from pipeline.api.candles.aggregation import aggregate_candle
from pipeline.api.depth import depth
from pipeline.api.downsampling.buckets import aggregate_trades
from pipeline.api.market import summary_of
from pipeline.changes import Change
from pipeline.transformations import transform

# A symbol: the decimals of its prices and of its quantities. On the exchange they add up to 8 at
# most for an exact product; the numbers below have at most 12 digits.
STEPS = st.tuples(st.integers(0, 8), st.integers(0, 8))
UNITS = st.integers(1, 10**9)


def decimal(units: int, places: int) -> Decimal:
    return Decimal(units).scaleb(-places)


def printed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as a client reads them that keeps decimals."""
    return json.loads(orjson.dumps(rows), parse_float=Decimal)


def equal(number: Any, expected: Decimal) -> bool:
    """Whether a printed number is the expected one, as far as 15 digits go."""
    return abs(Decimal(number) - expected) <= abs(expected).scaleb(-15)


@given(STEPS, st.lists(UNITS, min_size=1, max_size=40), st.lists(UNITS, min_size=1, max_size=40), UNITS, UNITS)
@settings(max_examples=60)
def test_figures_and_depth_of_a_book(steps, bid_units, ask_units, start, gap):
    price_places, quantity_places = steps
    best_bid, best_ask = decimal(start + 100, price_places), decimal(start + 100 + gap, price_places)
    tick = decimal(1, price_places)
    bids = [(best_bid - at * tick, decimal(units, quantity_places)) for at, units in enumerate(bid_units)]
    asks = [(best_ask + at * tick, decimal(units, quantity_places)) for at, units in enumerate(ask_units)]
    text = {
        name: json.dumps([[f"{p:f}", f"{q:f}"] for p, q in side]) for name, side in (("bids", bids), ("asks", asks))
    }
    row = {"symbol": "AB", "last_update_id": 1, "updated_at": "2026-11-26T12:00:00Z", **text}
    stored = transform(Change("order_book", False, row, 1, 1))[0].row
    (book,) = printed(shown([stored], None))
    assert Decimal(book["spread"]) == best_ask - best_bid
    assert equal(book["mid_price"], (best_ask + best_bid) / 2)
    assert equal(book["bid_depth"], sum(quantity for _, quantity in bids))
    total = sum(quantity for _, quantity in bids + asks)
    imbalance = (sum(q for _, q in bids) - sum(q for _, q in asks)) / total
    assert abs(Decimal(book["imbalance"]) - imbalance) <= Decimal("5.1e-7")
    found = printed(depth(stored))
    expected = [*reversed(list(accumulate(q for _, q in bids))), *accumulate(q for _, q in asks)]
    assert all(equal(each["bid_depth"] or each["ask_depth"], exact) for each, exact in zip(found, expected))
    assert [Decimal(each["price"]) for each in found] == [*(p for p, _ in reversed(bids)), *(p for p, _ in asks)]


@given(st.integers(0, 8), st.lists(UNITS, min_size=1, max_size=200))
@settings(max_examples=60)
def test_sums_of_trades_candles_and_a_market(places, units):
    exact = [decimal(each, places) for each in units]
    trades = [
        {"symbol": "AB", "price": 1.0, "quantity": float(q), "quote_quantity": float(q), "is_buyer_maker": at % 2 == 0}
        for at, q in enumerate(exact)
    ]
    (trade,) = printed([aggregate_trades(0, trades)])
    assert equal(trade["quantity"], sum(exact))
    assert equal(trade["sell_quantity"], sum(exact[::2]))
    names = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume")
    others = {"open_price": 1.0, "high_price": 1.0, "low_price": 1.0, "number_of_trades": 2, "is_closed": True}
    candles = [{**others, "updated_at": 1, **dict.fromkeys(names, float(q))} for q in exact]
    (candle,) = printed([aggregate_candle(candles, "1h", 0, 3_600_000, len(candles))])
    assert all(equal(candle[name], sum(exact)) for name in names)
    assert candle["number_of_trades"] == 2 * len(exact)
    market = [
        {"price_change": 1.0, "quote_volume": float(q), "trade_count": 1, "updated_at": 1, "symbol": "ABCUSDT"}
        for q in exact
    ]
    assert equal(printed([summary_of("USDT", market)])[0]["quote_volume"], sum(exact))
