"""Which rows each route returns, from a real Cassandra."""

import pytest

from pipeline.times import DAY_MS, HOUR_MS
from tests.integration.api import known
from tests.integration.api.known import MINUTE_MS, T0

DATA_ROUTES = ["/crypto_24h_stats", "/latest_prices", "/order_book", "/recent_trades", "/klines"]
TIME = {"/order_book": "updated_at", "/recent_trades": "trade_time", "/klines": "open_time"}


def times(found, name="updated_at"):
    return [row[name] for row in found]


@pytest.mark.parametrize("route", DATA_ROUTES)
def test_route_without_parameters_has_rows_ascending_by_time(rows, route):
    found = rows(route)
    assert 0 < len(found) <= 100
    assert times(found, TIME.get(route, "updated_at")) == sorted(times(found, TIME.get(route, "updated_at")))


@pytest.mark.parametrize("route", DATA_ROUTES)
def test_unknown_symbol_or_years_without_rows_give_an_empty_array(rows, route):
    assert rows(route, symbol="UNKNOWNUSDT") == []
    assert rows(route, symbol="TENUSDT", from_="1971-01-01", to="1972-01-01") == []
    assert rows(route, symbol="TENUSDT", from_="9999-01-01") == []
    assert rows(route, symbol="UNKNOWNUSDT", points=10) == []
    assert rows(route, symbol="UNKNOWNUSDT", points=10, from_=0, to=253_402_300_799_999) == []


@pytest.mark.parametrize("route", DATA_ROUTES)
@pytest.mark.parametrize("more", [{}, {"points": 5}])
def test_range_of_no_length_is_empty(rows, route, more):
    for symbol in ("TENUSDT", "STEADYUSDT", "BOOKUSDT", "CANUSDT"):
        assert rows(route, symbol=symbol, from_=T0, to=T0, **more) == []


def test_prices_are_the_newest_ones_unless_from_is_given(rows):
    assert times(rows("/latest_prices", symbol="TENUSDT", limit=3)) == [T0 + 7000, T0 + 8000, T0 + 9000]
    assert times(rows("/latest_prices", symbol="TENUSDT", limit=3, from_=T0)) == [T0, T0 + 1000, T0 + 2000]
    assert times(rows("/latest_prices", symbol="TENUSDT", limit=2, to=T0 + 5000)) == [T0 + 3000, T0 + 4000]


def test_from_is_inclusive_and_to_is_exclusive_to_the_millisecond(rows):
    found = rows("/latest_prices", symbol="TENUSDT", from_=T0 + 2000, to=T0 + 4000)
    assert times(found) == [T0 + 2000, T0 + 3000]
    assert times(rows("/latest_prices", symbol="TENUSDT", from_=T0 + 2001, to=T0 + 4001)) == [T0 + 3000, T0 + 4000]


def test_one_row_is_an_array_of_one(rows):
    assert rows("/latest_prices", symbol="ONEUSDT") == [{"symbol": "ONEUSDT", "updated_at": T0 + 5500, "price": 7.0}]


def test_several_symbols_in_lower_case_are_merged_by_time(rows):
    found = rows("/latest_prices", symbol="tenusdt, oneusdt", from_=T0 + 5000, to=T0 + 7000)
    assert [(row["symbol"], row["updated_at"] - T0) for row in found] == [
        ("TENUSDT", 5000),
        ("ONEUSDT", 5500),
        ("TENUSDT", 6000),
    ]


def test_iso_times_with_and_without_offset_mean_the_same_instant(rows):
    for instant in ("2026-03-29T00:00:02Z", "2026-03-29 00:00:02", "2026-03-29T02:00:02+02:00", str(T0 + 2000)):
        assert times(rows("/latest_prices", symbol="TENUSDT", from_=instant, limit=1)) == [T0 + 2000]


def test_hour_that_clocks_in_europe_skip_is_an_ordinary_hour(rows):
    """In this night, at 01:00 UTC, clocks in Berlin go from 02:00 to 03:00."""
    found = rows("/recent_trades", symbol="STEADYUSDT", from_="2026-03-29T00:55Z", to="2026-03-29T01:05Z")
    assert times(found, "trade_time") == [T0 + n * MINUTE_MS for n in range(55, 65)]


def test_current_prices_of_the_whole_market_are_one_row_per_symbol(rows):
    found = rows("/latest_prices", quote_asset="eur")
    assert [(row["symbol"], row["price"]) for row in found] == [
        ("CCCEUR", 5.0),
        ("AAAEUR", 5.0),
        ("BBBEUR", 5.0),
        ("PRICEEUR", 1.0),
    ]
    assert {row["symbol"] for row in rows("/crypto_24h_stats", quote_asset="EUR")} == {"AAAEUR", "BBBEUR", "CCCEUR"}
    assert rows("/latest_prices", quote_asset="NONE") == []


def test_ranking_is_by_column_order_and_limit_and_leaves_out_rows_without_a_value(rows):
    found = rows("/crypto_24h_stats", sort="quote_volume", quote_asset="EUR")
    assert [row["symbol"] for row in found] == ["AAAEUR", "CCCEUR", "BBBEUR"]
    smallest = rows("/crypto_24h_stats", sort="volume", order="asc", quote_asset="EUR", limit=2)
    assert [row["symbol"] for row in smallest] == ["BBBEUR", "CCCEUR"]
    assert len(rows("/crypto_24h_stats", sort="trade_count", limit=5000)) == 8


def test_trades_are_read_across_hours_in_both_directions(rows):
    newest = rows("/recent_trades", symbol="STEADYUSDT", limit=130)
    assert [row["trade_id"] for row in newest] == [*range(110, 120), *range(180, 300)]
    first = rows("/recent_trades", symbol="STEADYUSDT", limit=130, from_=T0 + 60 * MINUTE_MS)
    assert [row["trade_id"] for row in first] == [*range(60, 120), *range(180, 250)]


def test_maximum_limit_returns_every_row_and_a_larger_one_is_refused(rows, ask):
    assert len(rows("/latest_prices", symbol="SPIKEUSDT", limit=5000)) == len(known.SPIKES)
    assert ask("/latest_prices", symbol="SPIKEUSDT", limit=5001).json()["parameter"] == "limit"


def test_book_has_levels_best_first_and_figures(rows):
    (found,) = rows("/order_book", symbol="BOOKUSDT", limit=1)
    assert found["updated_at"] == T0 + 220 * MINUTE_MS
    assert found["bids"][0] == [100.0, 1.0]
    assert (found["best_bid"], found["best_ask"], found["spread"], len(found["asks"])) == (100.0, 101.0, 1.0, 5)
    assert "hour" not in found
    (cut,) = rows("/order_book", symbol="BOOKUSDT", limit=1, levels=2)
    assert (cut["bids"], cut["asks"]) == (found["bids"][:2], found["asks"][:2])


def test_book_has_the_spread_in_basis_points_and_no_noise(rows):
    (found,) = rows("/order_book", symbol="BOOKUSDT", limit=1, fields="spread_bps,mid_price,imbalance")
    assert found == {"spread_bps": 99.5025, "mid_price": 100.5, "imbalance": -0.142857}
    (half,) = rows("/order_book", symbol="HALFUSDT", limit=1)
    assert (half["spread"], half["spread_bps"], half["imbalance"]) == (None, None, 1.0)


def test_fields_are_the_requested_columns_in_any_kind_of_answer(rows):
    for more in ({"limit": 1}, {"points": 1}):
        (found,) = rows("/latest_prices", symbol="ONEUSDT", from_=T0, to=T0 + 6000, fields="price,symbol", **more)
        assert list(found.items()) == [("price", 7.0), ("symbol", "ONEUSDT")]
    (trade,) = rows("/recent_trades", symbol="STEADYUSDT", limit=1, fields="price_text,quantity_text")
    assert trade == {"price_text": "309.00", "quantity_text": "1.000"}
    (bucket,) = rows("/recent_trades", symbol="STEADYUSDT", from_=T0, points=1, fields="trade_id,trades")
    assert bucket == {"trade_id": None, "trades": 240}


@pytest.mark.parametrize("interval", ["1m", "3m"])
def test_moving_averages_count_the_candles_before_the_range(rows, interval):
    """Closes rise by the same amount from candle to candle, save over the two that are missing."""
    columns = "open_time,close_price,ma_7,ma_25"
    start = {"symbol": "CANUSDT", "interval": interval, "from_": T0 + 120 * MINUTE_MS}
    first, *_ = rows("/klines", limit=2, fields=columns, **start)
    step = 1 if interval == "1m" else 3
    assert first["ma_7"] == first["close_price"] - 3 * step
    assert first["ma_25"] == first["close_price"] - 12 * step
    (lonely,) = rows("/klines", symbol="CANUSDT", from_=T0, limit=1, fields="ma_7")
    assert lonely == {"ma_7": None}


def test_statistics_of_the_tracked_symbols(rows):
    assert rows("/crypto_24h_stats", tracked="true", sort="quote_volume") == []
    assert len(rows("/crypto_24h_stats", tracked="false", sort="quote_volume")) == 8


def test_depth_accumulates_from_the_best_price_outwards(rows):
    found = rows("/depth", symbol="bookusdt", levels=3)
    assert [(row["side"], row["price"], row["quantity"], row["bid_depth"], row["ask_depth"]) for row in found] == [
        ("bid", 98.0, 3.0, 6.0, None),
        ("bid", 99.0, 2.0, 3.0, None),
        ("bid", 100.0, 1.0, 1.0, None),
        ("ask", 101.0, 2.0, None, 2.0),
        ("ask", 102.0, 3.0, None, 5.0),
        ("ask", 103.0, 4.0, None, 9.0),
    ]
    assert {row["updated_at"] for row in found} == {T0 + 220 * MINUTE_MS}
    assert {row["side"] for row in rows("/depth", symbol="HALFUSDT")} == {"bid"}
    assert rows("/depth", symbol="UNKNOWNUSDT") == []


def test_market_summary_counts_rising_and_falling_symbols(rows):
    (found,) = rows("/market_summary", quote_asset="EUR")
    assert found == {
        "quote_asset": "EUR",
        "symbols": 3,
        "rising": 1,
        "falling": 1,
        "unchanged": 1,
        "quote_volume": 120.0,
        "trade_count": 21,
        "updated_at": T0 + 4,
    }
    assert [row["quote_asset"] for row in rows("/market_summary")] == ["BTC", "EUR", "JPY", "USDT"]


def test_symbols_have_tracked_and_source(rows):
    found = {row["symbol"]: row for row in rows("/symbols")}
    assert found["BOOKUSDT"]["tracked"] is True
    assert found["AAAEUR"] == {
        "symbol": "AAAEUR",
        "quote_asset": "EUR",
        "tracked": False,
        "live_name": "AAAEUR",
        "tick_size": 0.01,
        "step_size": 0.0001,
        "status": "TRADING",
        "source": "known",
        "source_url": "http://127.0.0.1:1",
    }
    assert (found["BBBEUR"]["tick_size"], found["BBBEUR"]["status"]) == (None, "TRADING")
    assert (found["BOOKUSDT"]["tick_size"], found["BOOKUSDT"]["status"]) == (None, None), "not listed yet"
    assert [row["symbol"] for row in rows("/symbols", symbol="aaaeur")] == ["AAAEUR"]
    assert {row["symbol"] for row in rows("/symbols", tracked="false", quote_asset="BTC")} == {"AAABTC"}
    assert all(row["tracked"] for row in rows("/symbols", tracked="true"))


def test_freshness_is_the_time_in_the_newest_row(rows):
    found = {row["table"]: row for row in rows("/freshness")}
    assert {table: row["updated_at"] for table, row in found.items()} == {
        "crypto_24h_stats": T0 + 4,
        "latest_prices": T0 + 9,
        "order_book": T0 + 220 * MINUTE_MS,
        "recent_trades": T0 + 299 * MINUTE_MS,
        "klines": T0 + 48 * HOUR_MS,
    }
    assert all(row["late"] and row["age_seconds"] > DAY_MS / 1000 for row in found.values())
