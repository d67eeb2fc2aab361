import json
from decimal import Decimal

import pytest

from pipeline.changes import Change
from pipeline.stream.envelope import parse
from pipeline.tables import MARKET_NOW, STATS, STORED_HOURS, TABLES
from pipeline.times import iso_to_ms, iso_to_us
from pipeline.transformations import (
    DELETE,
    INSERT,
    TRANSFORMATIONS,
    UPDATE,
    Write,
    book_figures,
    levels,
    market_now,
    transform,
)

HOUR_MS = iso_to_ms("2026-11-23T19:00:00Z")


@pytest.fixture
def written(envelope):
    """The writes that a saved envelope leads to, by table."""

    def write(case, table):
        writes = transform(parse(table, envelope(case)))
        assert len({made.table for made in writes}) == len(writes)
        return {made.table: made for made in writes}

    return write


def test_candle_is_mirrored_with_all_its_columns(written, envelope):
    writes = written("kline_created_open", "klines")
    after = json.loads(envelope("kline_created_open"))["after"]
    assert writes == {"klines": Write("klines", INSERT, after)}


def test_deleted_candle_is_deleted_by_its_key(written):
    made = written("kline_deleted", "klines")["klines"]
    assert made.kind == DELETE
    assert {name: made.row[name] for name in TABLES["klines"].key} == {
        "symbol": "ETHUSDT",
        "interval": "1m",
        "open_time": "2026-11-23T19:25:00.000000Z",
    }


@pytest.mark.parametrize("deleted", [False, True])
def test_table_without_a_transformation_is_mirrored_column_by_column(deleted):
    change = Change("notes", deleted, {"id": 7, "title": "x"}, 1, 1)
    assert transform(change) == [Write("notes", DELETE if deleted else INSERT, {"id": 7, "title": "x"})]


def test_price_goes_to_history_and_to_market_now(written):
    writes = written("price_updated", "latest_prices")
    assert writes["latest_prices"].kind == INSERT
    assert writes["latest_prices"].row == {
        "symbol": "ETHUSDT",
        "price": "2811.60000000",
        "updated_at": "2026-11-23T19:25:30.500000Z",
    }
    assert writes[MARKET_NOW] == Write(
        MARKET_NOW,
        UPDATE,
        {
            "quote_asset": "USDT",
            "symbol": "ETHUSDT",
            "price": "2811.60000000",
            "price_updated_at": "2026-11-23T19:25:30.500000Z",
        },
    )


def test_deleted_price_is_cleared_in_market_now_and_stays_in_history(written):
    assert written("price_deleted", "latest_prices") == {
        MARKET_NOW: Write(
            MARKET_NOW,
            UPDATE,
            {
                "quote_asset": "USDT",
                "symbol": "ETHUSDT",
                "price": None,
                "price_updated_at": None,
            },
        )
    }


def test_statistics_go_to_history_and_to_market_now(written, envelope):
    writes = written("stats_updated", "crypto_24h_stats")
    after = json.loads(envelope("stats_updated"))["after"]
    assert writes["crypto_24h_stats"] == Write("crypto_24h_stats", INSERT, after)
    current = writes[MARKET_NOW]
    assert current.kind == UPDATE
    renamed = {**after, "quote_asset": "USDT", "stats_updated_at": after["updated_at"]}
    del renamed["updated_at"]
    assert current.row == renamed


def test_deleted_statistics_are_cleared_in_market_now_and_the_price_stays(written):
    (current,) = written("stats_deleted", "crypto_24h_stats").values()
    cleared = {name for name, value in current.row.items() if value is None}
    assert current.kind == UPDATE
    assert cleared == set(STATS.columns) - {"symbol", "updated_at"} | {"stats_updated_at"}
    assert not {"price", "price_updated_at"} & set(current.row)


def test_price_and_statistics_write_different_columns_of_market_now(written):
    price = set(written("price_updated", "latest_prices")[MARKET_NOW].row)
    stats = set(written("stats_updated", "crypto_24h_stats")[MARKET_NOW].row)
    assert price & stats == {"quote_asset", "symbol"}


def test_market_now_leaves_out_columns_that_the_change_lacks():
    """A missing column (dropped placeholder, older schema) must not be cleared."""
    change = Change("latest_prices", False, {"symbol": "ETHBTC", "updated_at": "t"}, 1, 1)
    made = market_now(change, {"price": "price", "updated_at": "price_updated_at"})
    assert made.row == {"quote_asset": "BTC", "symbol": "ETHBTC", "price_updated_at": "t"}


def test_order_book_is_stored_with_its_hour_and_figures(written):
    writes = written("order_book_updated", "order_book")
    row = writes["order_book"].row
    assert writes["order_book"].kind == INSERT
    assert row["hour"] == HOUR_MS * 1000
    assert row["bids"] == [(0.3521, 672.0), (0.3520, 1144.0)]
    assert row["asks"] == [(0.3525, 300.0), (0.3526, 884.0)]
    assert (row["best_bid"], row["best_ask"]) == (0.3521, 0.3525)
    assert row["spread"] == pytest.approx(0.0004)
    assert row["mid_price"] == pytest.approx(0.3523)
    assert (row["bid_depth"], row["ask_depth"]) == (1816.0, 1184.0)
    assert row["imbalance"] == pytest.approx((1816 - 1184) / 3000)
    assert writes[STORED_HOURS] == stored_hour("order_book", "NKNUSDT")


def test_trade_is_stored_in_the_partition_of_its_hour(written):
    writes = written("trade_created", "recent_trades")
    row = writes["recent_trades"].row
    assert writes["recent_trades"].kind == INSERT
    assert (row["hour"], row["trade_time"]) == (HOUR_MS * 1000, iso_to_us("2026-11-23T19:25:46.981Z"))
    assert (row["trade_id"], row["price"], row["is_buyer_maker"]) == (881, "2811.55000000", True)
    assert writes[STORED_HOURS] == stored_hour("recent_trades", "ETHUSDT")


def stored_hour(table, symbol):
    row = {"table_name": table, "symbol": symbol, "hour": HOUR_MS * 1000}
    return Write(STORED_HOURS, INSERT, row, once=(table, symbol, HOUR_MS))


@pytest.mark.parametrize(("case", "table"), [("trade_deleted", "recent_trades"), ("order_book_deleted", "order_book")])
def test_history_stays_when_its_row_is_deleted(written, case, table):
    assert written(case, table) == {}


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.keeps_history])
def test_table_that_keeps_history_never_deletes_from_it(name):
    row = dict.fromkeys(TABLES[name].columns, "1") | {"symbol": "ETHUSDT"}
    assert all(made.kind != DELETE for made in transform(Change(name, True, row, 1, 1)))


def test_transformed_row_is_a_new_object_and_the_change_is_unchanged(envelope):
    change = parse("order_book", envelope("order_book_updated"))
    before = dict(change.row)
    transform(change)
    assert change.row == before


def test_only_known_tables_have_transformations():
    assert set(TRANSFORMATIONS) <= set(TABLES)


def side(*pairs):
    return [(Decimal(price), Decimal(quantity)) for price, quantity in pairs]


BIDS, ASKS = side(("10", "3"), ("9", "1")), side(("12", "1"))


def test_figures_of_a_full_book_are_exact():
    assert book_figures(BIDS, ASKS) == {
        "best_bid": 10.0,
        "best_ask": 12.0,
        "spread": 2.0,
        "mid_price": 11.0,
        "bid_depth": 4.0,
        "ask_depth": 1.0,
        "imbalance": 0.6,
    }


@pytest.mark.parametrize(
    ("bids", "asks", "known"),
    [
        (BIDS, [], {"best_bid": 10.0, "bid_depth": 4.0, "ask_depth": 0, "imbalance": 1.0}),
        ([], ASKS, {"best_ask": 12.0, "bid_depth": 0, "ask_depth": 1.0, "imbalance": -1.0}),
        ([], [], {"bid_depth": 0, "ask_depth": 0}),
        (
            side(("10", "0")),
            side(("12", "0")),
            {"best_bid": 10.0, "best_ask": 12.0, "spread": 2.0, "mid_price": 11.0, "bid_depth": 0.0, "ask_depth": 0.0},
        ),
    ],
    ids=["no asks", "no bids", "empty", "no quantities"],
)
def test_figures_that_an_incomplete_book_lacks_are_null(bids, asks, known):
    figures = book_figures(bids, asks)
    assert {name: value for name, value in figures.items() if value is not None} == known
    assert len(figures) == 7


def test_figures_have_no_noise_of_binary_fractions():
    """With doubles the spread were 0.029999999998835847, the depth 0.30000000000000004."""
    figures = book_figures(side(("95423.58", "0.1"), ("95423.57", "0.2")), side(("95423.61", "0.7")))
    assert (figures["spread"], figures["mid_price"], figures["bid_depth"]) == (0.03, 95423.595, 0.3)
    assert all(isinstance(value, float) for value in figures.values())


def test_book_is_stored_in_doubles(written):
    book = written("order_book_updated", "order_book")["order_book"].row
    assert all(type(number) is float for level in (*book["bids"], *book["asks"]) for number in level)


def test_levels_are_pairs_of_price_and_quantity_in_the_same_order():
    assert levels('[["0.3521","672.0"],["0.3520","1E-8"]]') == [
        (Decimal("0.3521"), Decimal("672.0")),
        (Decimal("0.3520"), Decimal("1E-8")),
    ]
    assert levels("[]") == []


@pytest.mark.parametrize("text", [None, 5, "", "{", '[["0.3521"]]', '[["1","2","3"]]', '[["x","1"]]', "5", "[5]"])
def test_levels_of_a_wrong_shape_raise_what_makes_a_dead_letter(text):
    with pytest.raises((TypeError, ValueError, ArithmeticError)):
        levels(text)
