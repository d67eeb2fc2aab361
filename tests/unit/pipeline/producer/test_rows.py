"""Recorded replies of the exchange as rows, and wrong shapes."""

import copy
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.producer.rows import (
    BAD_SHAPE,
    STATS_FIELDS,
    LeftOut,
    book_rows,
    kline_rows,
    number,
    price_rows,
    rows_of,
    stats_rows,
    timestamp,
    trade_id,
    trade_rows,
)
from pipeline.tables import BOOKS, KLINES, PRICES, STATS, TRADES
from pipeline.times import DAY_MS, now_ms

STATS_REPLY = {
    "symbol": "ETHUSDT",
    "priceChange": "-12.10",
    "priceChangePercent": "-0.428",
    "weightedAvgPrice": "2820.1",
    "prevClosePrice": "2823.6",
    "lastPrice": "2811.55",
    "lastQty": "0.1",
    "bidPrice": "2811.54",
    "bidQty": "1",
    "askPrice": "2811.56",
    "askQty": "2",
    "openPrice": "2823.65",
    "highPrice": "2840.00",
    "lowPrice": "2799.10",
    "volume": "180233.3",
    "quoteVolume": "508275956.33",
    "openTime": 1_725_235_200_000,
    "closeTime": 1_725_321_600_000,
    "firstId": 1,
    "lastId": 9,
    "count": 1_904_411,
}


def filled(table):
    """The columns that a row made from a reply must have: all but `updated_at`, which PostgreSQL
    sets."""
    return set(table.columns) - {"updated_at"}


def test_recorded_candles_become_rows_with_every_column(exchange_reply):
    rows = kline_rows("ALGOUSDT", "1m", exchange_reply("klines_ALGOUSDT_1m"), requested_at_ms=1_725_400_000_000)
    assert len(rows) == 4
    assert set(rows[0]) == filled(KLINES)
    assert rows[0] == {
        "symbol": "ALGOUSDT",
        "interval": "1m",
        "open_time": datetime(2024, 9, 3, tzinfo=UTC),
        "open_price": Decimal("0.1256"),
        "high_price": Decimal("0.1256"),
        "low_price": Decimal("0.1253"),
        "close_price": Decimal("0.1254"),
        "volume": Decimal("76812.2"),
        "close_time": datetime(2024, 9, 3, 0, 0, 59, 999_000, tzinfo=UTC),
        "quote_volume": Decimal("9635.49545"),
        "number_of_trades": 76,
        "taker_buy_volume": Decimal("41934.8"),
        "taker_buy_quote_volume": Decimal("5261.97253"),
        "is_closed": True,
    }


@pytest.mark.parametrize(("after_close_ms", "closed"), [(-30_000, False), (0, False), (1, True), (60_000, True)])
def test_candle_is_closed_once_its_close_time_had_passed_before_the_request(exchange_reply, after_close_ms, closed):
    reply = exchange_reply("klines_ALGOUSDT_1m")[:1]
    (row,) = kline_rows("ALGOUSDT", "1m", reply, requested_at_ms=reply[0][6] + after_close_ms)
    assert row["is_closed"] is closed


def test_candles_in_microseconds_are_the_same_rows(exchange_reply):
    reply = exchange_reply("klines_ALGOUSDT_1m")
    in_us = [[row[0] * 1000, *row[1:6], row[6] * 1000 + 999, *row[7:]] for row in reply]
    for requested_at_ms in (reply[2][6], 1_725_400_000_000):
        assert kline_rows("A", "1m", in_us, requested_at_ms) == kline_rows("A", "1m", reply, requested_at_ms)


def test_recorded_trades_become_rows_with_every_column(exchange_reply):
    rows = trade_rows("XRPETH", exchange_reply("aggTrades_XRPETH"))
    assert set(rows[0]) == filled(TRADES)
    assert rows[0] == {
        "symbol": "XRPETH",
        "trade_id": 13_519_807,
        "price": Decimal("0.00141342"),
        "quantity": Decimal("23"),
        "trade_time": datetime(2019, 10, 11, 0, 0, 11, 620_000, tzinfo=UTC),
        "quote_quantity": Decimal("0.0325086600000000"),
        "is_buyer_maker": True,
        "first_trade_id": 15_373_518,
        "last_trade_id": 15_373_518,
    }
    assert [row["trade_id"] for row in rows] == list(range(13_519_807, 13_519_812))


def test_quote_quantity_is_exact_and_not_rounded():
    trade = {"a": 1, "p": "0.12345678", "q": "98765432.12345678", "f": 1, "l": 1, "T": 1_725_321_600_000, "m": False}
    (row,) = trade_rows("X", [trade])
    assert str(row["quote_quantity"]) == "12193262.2252705365279684"


def test_recorded_book_becomes_one_row_with_levels_as_text(exchange_reply):
    reply = exchange_reply("depth_NKNUSDT")
    (row,) = book_rows("NKNUSDT", reply, 3)
    assert set(row) == filled(BOOKS)
    assert row["last_update_id"] == 499_869_752
    assert row["bids"] == reply["bids"][:3]
    assert row["asks"] == reply["asks"][:3]


def test_book_without_any_level_makes_no_row():
    assert book_rows("X", {"lastUpdateId": 5, "bids": [], "asks": []}, 20) == []


@pytest.mark.parametrize("side", ["bids", "asks"])
def test_book_with_one_empty_side_is_a_row(side):
    reply = {"lastUpdateId": 5, "bids": [["1", "2"]], "asks": [["3", "4"]], side: []}
    (row,) = book_rows("X", reply, 20)
    assert row[side] == []


def test_tiny_price_of_a_level_stays_plain_decimal_text():
    """`str(Decimal("0.00000001"))` is 1E-8; the exchange sent plain digits, and PostgreSQL should
    hold the same."""
    (row,) = book_rows("X", {"lastUpdateId": 5, "bids": [["0.00000001", "1"]], "asks": []}, 20)
    assert row["bids"] == [["0.00000001", "1"]]


def test_prices_of_wanted_symbols_only_become_rows():
    reply = [{"symbol": "ETHUSDT", "price": "2811.55000000"}, {"symbol": "ETHBTC", "price": "0.05"}]
    rows = price_rows(reply, {"ETHUSDT", "UNLISTED"})
    assert rows == [{"symbol": "ETHUSDT", "price": Decimal("2811.55000000")}]
    assert set(rows[0]) == filled(PRICES)


def test_statistics_of_wanted_symbols_become_rows_with_every_column():
    rows = stats_rows([STATS_REPLY, {"symbol": "OTHER"}], {"ETHUSDT"})
    assert len(rows) == 1
    assert set(rows[0]) == filled(STATS)
    assert (rows[0]["bid_price"], rows[0]["ask_price"]) == (Decimal("2811.54"), Decimal("2811.56"))
    assert (rows[0]["volume"], rows[0]["quote_volume"]) == (Decimal("180233.3"), Decimal("508275956.33"))
    assert rows[0]["open_time"] < rows[0]["close_time"]
    assert rows[0]["trade_count"] == 1_904_411


MISSING = object()
# What no field may be; JSON has no NaN, but the exchange sends numbers as text.
WRONG_VALUES = [
    *(MISSING, None, "", "x", "NaN", "-NaN", "Infinity", "1E+999", "1E+999999999999999999", "1E-999", "9" * 70),
    *("1,5", "1_000", " 1", "١٢", "0x10", "-5", -1, 10**40, 1e300, True, [], {}, ["1"], [["1"]], {"value": "1"}),
]
wrong_value = pytest.mark.parametrize("value", WRONG_VALUES, ids=lambda value: repr(value)[:30])


def spoil(item, field, value):
    if value is MISSING:
        item.pop(field)
    else:
        item[field] = value


def without(parsed, place):
    """The rows of a reply of which exactly the item at this place is left out for its oddity."""
    assert [number for number, each in enumerate(parsed) if isinstance(each, LeftOut)] == [place]
    assert parsed[place].reason
    return rows_of(parsed)


def may_be(field, value):
    """Changes may be negative."""
    return field in ("priceChange", "priceChangePercent") and value in ("-5", -1)


@wrong_value
@pytest.mark.parametrize("field", [name for _, name in STATS_FIELDS.values() if name != "symbol"])
def test_statistics_with_any_odd_field_are_left_out_alone(field, value):
    odd = dict(STATS_REPLY)
    spoil(odd, field, value)
    reply = [{**STATS_REPLY, "symbol": "A"}, odd, {**STATS_REPLY, "symbol": "B"}]
    parsed = stats_rows(reply, {"A", "ETHUSDT", "B"})
    if may_be(field, value if isinstance(value, (str, int)) else None):
        assert len(rows_of(parsed)) == 3
        return
    assert [row["symbol"] for row in without(parsed, 1)] == ["A", "B"]
    assert parsed[1].symbol == "ETHUSDT"
    assert field in parsed[1].reason


@wrong_value
def test_odd_price_is_left_out_alone_and_named(value):
    odd = {"symbol": "ODDUSDT", "price": "1"}
    spoil(odd, "price", value)
    parsed = price_rows([{"symbol": "AUSDT", "price": "2"}, odd], {"AUSDT", "ODDUSDT"})
    assert without(parsed, 1) == [{"symbol": "AUSDT", "price": Decimal(2)}]
    assert parsed[1].symbol == "ODDUSDT"


@pytest.mark.parametrize(
    "item", [5, "text", None, [], {}, {"price": "1"}, {"symbol": None}, {"symbol": ["A"]}, {"symbol": 7, "price": "1"}]
)
def test_item_of_the_market_without_a_symbol_is_left_out_alone(item):
    parsed = price_rows([item, {"symbol": "A", "price": "2"}], {"A"})
    assert without(parsed, 0) == [{"symbol": "A", "price": Decimal(2)}]
    assert parsed[0].symbol == ""


def test_odd_item_of_a_symbol_that_is_not_wanted_is_nothing():
    assert price_rows([{"symbol": "OTHER", "price": None}], {"A"}) == []


@pytest.mark.parametrize(("value", "price"), [(12345.67, "12345.67"), (5, "5"), ("1E-8", "1E-8"), (1e-07, "1E-7")])
def test_price_as_a_json_number_is_read_as_it_was_written(value, price):
    assert price_rows([{"symbol": "A", "price": value}], {"A"}) == [{"symbol": "A", "price": Decimal(price)}]


NO_LISTS = [None, 5, "text", {"code": -1, "msg": "x"}]


@pytest.mark.parametrize("reply", NO_LISTS, ids=repr)
@pytest.mark.parametrize(
    "rows",
    [
        lambda reply: price_rows(reply, {"ETHUSDT"}),
        lambda reply: stats_rows(reply, {"ETHUSDT"}),
        lambda reply: trade_rows("X", reply),
        lambda reply: kline_rows("X", "1m", reply, 0),
    ],
    ids=["price", "stats", "trades", "klines"],
)
def test_reply_that_is_no_list_raises_and_makes_no_rows(rows, reply):
    with pytest.raises(BAD_SHAPE):
        rows(reply)


@pytest.mark.parametrize("reply", [*NO_LISTS, [5], ["text"], [None], {}], ids=repr)
def test_reply_that_is_no_book_raises_and_makes_no_row(reply):
    with pytest.raises(BAD_SHAPE):
        book_rows("X", reply, 20)


@pytest.mark.parametrize(
    "reply",
    [
        {"bids": [], "asks": [["1", "2"]]},
        {"lastUpdateId": 5, "bids": [["1", "2"]]},
        {"lastUpdateId": 5, "bids": [["1"]], "asks": []},
        {"lastUpdateId": 5, "bids": [["1", "x"]], "asks": []},
        {"lastUpdateId": 5, "bids": [["-1", "2"]], "asks": []},
        {"lastUpdateId": 5, "bids": [["1", "1E+999"]], "asks": []},
        {"lastUpdateId": 5, "bids": [[["1", "2"]]], "asks": []},
        {"lastUpdateId": 5, "bids": ["12"], "asks": []},
        {"lastUpdateId": 5, "bids": {"0": ["1", "2"]}, "asks": []},
        {"lastUpdateId": None, "bids": [["1", "2"]], "asks": []},
        {"lastUpdateId": -5, "bids": [["1", "2"]], "asks": []},
        {"lastUpdateId": 2**63, "bids": [["1", "2"]], "asks": []},
        {"lastUpdateId": True, "bids": [["1", "2"]], "asks": []},
    ],
    ids=repr,
)
def test_book_with_any_odd_field_is_left_out_and_named(reply):
    (left_out,) = book_rows("X", reply, 20)
    assert left_out.symbol == "X"
    assert left_out.reason


@pytest.mark.parametrize("more", [[[]], ["3"], [None, {}], [0, 0, 0]])
def test_further_entries_of_a_level_are_ignored(more):
    (row,) = book_rows("X", {"lastUpdateId": 5, "bids": [["1", "2", *more]], "asks": [["3", "4", *more]]}, 20)
    assert (row["bids"], row["asks"]) == ([["1", "2"]], [["3", "4"]])


@wrong_value
@pytest.mark.parametrize("index", range(11))
def test_candle_with_any_odd_field_is_left_out_alone(exchange_reply, index, value):
    reply = copy.deepcopy(exchange_reply("klines_ALGOUSDT_1m"))
    good = kline_rows("X", "1m", reply, 0)
    if value is MISSING:
        del reply[1][index:]
    else:
        reply[1][index] = value
    assert without(kline_rows("X", "1m", reply, 0), 1) == [good[0], *good[2:]]


@pytest.mark.parametrize("item", [5, "text", None, {}, [], [[1725321600000]]])
def test_item_that_is_no_candle_is_left_out_alone(exchange_reply, item):
    reply = exchange_reply("klines_ALGOUSDT_1m")
    assert len(without(kline_rows("X", "1m", [*reply, item], 0), len(reply))) == len(reply)


def test_candle_that_closes_before_it_opens_is_left_out(exchange_reply):
    reply = copy.deepcopy(exchange_reply("klines_ALGOUSDT_1m"))
    reply[0][6] = reply[0][0] - 1
    without(kline_rows("X", "1m", reply, 0), 0)


@wrong_value
@pytest.mark.parametrize("field", ["a", "p", "q", "f", "l", "T", "m"])
def test_trade_with_any_odd_field_is_left_out_alone(exchange_reply, field, value):
    if field == "m" and value is True:
        return
    reply = copy.deepcopy(exchange_reply("aggTrades_XRPETH"))
    good, odd_id = trade_rows("X", reply), reply[1]["a"]
    spoil(reply[1], field, value)
    parsed = trade_rows("X", reply)
    assert without(parsed, 1) == [good[0], *good[2:]]
    assert trade_id(parsed[1]) == (None if field == "a" else odd_id)


@pytest.mark.parametrize(
    "zero",
    [
        {"p": "0.00000000", "q": "0.00000000", "f": -1, "l": -1},
        {"q": "0"},
        {"q": "0.0", "p": None},
        {"q": 0},
        {"q": "0E-8", "f": -1, "l": -1},
    ],
    ids=repr,
)
def test_trade_without_quantity_is_left_out_without_being_odd(exchange_reply, zero):
    reply = copy.deepcopy(exchange_reply("aggTrades_XRPETH"))
    reply[2].update(zero)
    parsed = trade_rows("X", reply)
    assert parsed[2] == LeftOut("X", "", reply[2]["a"])
    assert len(rows_of(parsed)) == len(reply) - 1


def test_trade_with_a_quantity_and_without_a_price_is_odd(exchange_reply):
    reply = copy.deepcopy(exchange_reply("aggTrades_XRPETH"))
    reply[0]["p"] = "0"
    without(trade_rows("X", reply), 0)


@pytest.mark.parametrize("text", ["0.00000001", "12345678901234567890.12345678", "-5", "0"])
def test_number_keeps_every_digit(text):
    assert number(text) == Decimal(text)
    assert format(number(text), "f") == text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "", "1,5", None, [], {}])
def test_text_that_is_not_a_finite_number_raises(text):
    with pytest.raises(BAD_SHAPE):
        number(text)


def test_timestamp_in_ms_or_us_is_an_aware_utc_datetime():
    expected = datetime(2024, 9, 3, tzinfo=UTC)
    assert timestamp(1_725_321_600_000) == timestamp(1_725_321_600_000_000) == timestamp("1725321600000") == expected


@pytest.mark.parametrize(
    "value", [0, -1, 1, 1000, 1_725_321_600, True, 1.5, None, "soon", [], now_ms() + 400 * DAY_MS, 10**18, 10**30]
)
def test_implausible_timestamp_raises(value):
    with pytest.raises(BAD_SHAPE):
        timestamp(value)
