"""A row in Redis has PostgreSQL's digits, and a reader gets the doubles that Cassandra holds."""

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.changes import Change
from pipeline.current.rows import encoded, key_of, number
from pipeline.errors import UnwritableRecord
from pipeline.stream.envelope import parse


def change(table="latest_prices", deleted=False, **row) -> Change:
    return Change(table, deleted, row, 1, 1)


def test_price_has_the_digits_of_the_envelope_and_its_time_in_ms(envelope):
    found = parse("latest_prices", envelope("price_updated"))
    assert key_of(found) == "ETHUSDT"
    assert encoded(found) == b'{"symbol":"ETHUSDT","price":2811.60000000,"updated_at":1795461930500}'


@pytest.mark.parametrize(
    ("text", "json_text"),
    [
        ("1", "1.0"),
        ("-3", "-3.0"),
        ("0", "0.0"),
        ("0.10", "0.10"),
        ("1E-8", "1E-8"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("NaN", "null"),
        ("Infinity", "null"),
    ],
)
def test_number_is_a_json_number_with_decimals_or_null(text, json_text):
    assert number(text) == json_text.encode()


@pytest.mark.parametrize(
    "text", ["", "1e999", "-1e999", "1_0", " 1", "0x1", "1,5", "１", "__debezium_unavailable_value"]
)
def test_what_no_double_holds_is_refused_so_that_it_cannot_break_the_whole_market(text):
    with pytest.raises(ValueError):
        number(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_reader_gets_the_nearest_double_and_the_exact_decimal(value):
    text = str(value)
    assert orjson.loads(number(text)) == float(value)
    assert json.loads(number(text), parse_float=Decimal) == value
    assert isinstance(orjson.loads(number(text)), float)


def test_statistics_keep_their_columns_and_nulls(envelope):
    found = parse("crypto_24h_stats", envelope("stats_updated"))
    row = json.loads(encoded(found), parse_float=Decimal)
    assert row.keys() == found.row.keys()
    assert row["last_price"] == Decimal(found.row["last_price"])
    assert row["trade_count"] == found.row["trade_count"]
    row = json.loads(encoded(change("instruments", symbol="A", tick_size=None, status="TRADING")))
    assert (row["tick_size"], row["status"]) == (None, "TRADING")


def test_book_is_its_best_bid_and_ask():
    book = change(
        "order_book",
        symbol="A",
        last_update_id=7,
        bids='[["1.50","2"],["1.40","9"]]',
        asks="[]",
        updated_at="2026-11-23T19:25:30.5Z",
    )
    assert json.loads(encoded(book)) == {
        "symbol": "A",
        "last_update_id": 7,
        "best_bid": 1.5,
        "bid_quantity": 2.0,
        "best_ask": None,
        "ask_quantity": None,
        "updated_at": 1795461930500,
    }


def test_delete_is_empty(envelope):
    found = parse("latest_prices", envelope("price_deleted"))
    assert encoded(found) == b""
    assert key_of(found)


@pytest.mark.parametrize(
    "row",
    [
        {"symbol": "A", "price": "many", "updated_at": "2026-11-23T19:25:30.5Z"},
        {"symbol": "A", "price": "1", "updated_at": "infinity"},
        {"symbol": "A", "price": "1", "updated_at": 5},
    ],
)
def test_row_that_cannot_be_kept_is_refused(row):
    with pytest.raises(UnwritableRecord):
        encoded(change(**row))


def test_row_without_its_key_is_refused():
    with pytest.raises(UnwritableRecord):
        key_of(change(price="1"))
