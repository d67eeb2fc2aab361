"""What is read for which request, from tables held in memory."""

import re

import pytest

from pipeline.times import HOUR_MS
from pipeline.web.parameters import query
from pipeline.web.reads import HOURS_AT_A_TIME, Reads


class MemoryStore:
    """Understands the statements that Reads makes: DISTINCT, equality, ranges, ORDER BY, LIMIT. `opened`: the hour
    partitions that were read."""

    newest_first = {"klines": "open_time", "recent_trades": "trade_time", "order_book": "updated_at",
                    "latest_prices": "updated_at", "crypto_24h_stats": "updated_at", "stored_hours": "hour"}

    def __init__(self, **tables):
        self.tables = {"market_now": [], "stored_hours": [], "data_source": [], "klines": [], **tables}
        self.opened = []

    def columns_of(self, table):
        return "*"

    def select(self, columns, table, where="", values=()):
        assert "ALLOW FILTERING" not in where
        rows, bound = list(self.tables.get(table, [])), list(values)
        for column, sign in re.findall(r"(\w+) (=|>=|<) \?", where):
            value = bound.pop(0)
            if column == "hour" and sign == "=":
                self.opened.append(value)
            keep = {"=": lambda a, b: a == b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b}[sign]
            rows = [row for row in rows if keep(row[column], value)]
        time = self.newest_first.get(table)
        if time and "DISTINCT" not in columns:
            rows.sort(key=lambda row: row[time], reverse="ASC" not in where)
        if "LIMIT ?" in where:
            rows = rows[: bound.pop(0)]
        assert bound == []
        if columns.startswith("DISTINCT"):
            names = columns.removeprefix("DISTINCT ").split(", ")
            return [dict(zip(names, each)) for each in dict.fromkeys(tuple(row[n] for n in names) for row in rows)]
        return rows


def candle(symbol, minute, interval="1m"):
    return {"symbol": symbol, "interval": interval, "open_time": minute * 60_000}


def trade(symbol, time_ms):
    return {"symbol": symbol, "hour": time_ms - time_ms % HOUR_MS, "trade_time": time_ms}


def with_trades(*trades):
    hours = {(row["symbol"], row["hour"]) for row in trades}
    stored = [{"table_name": "recent_trades", "symbol": symbol, "hour": hour} for symbol, hour in hours]
    return MemoryStore(recent_trades=list(trades), stored_hours=stored)


def asked(**arguments):
    return query({name.rstrip("_"): str(value) for name, value in arguments.items()})


def times(rows, name="open_time"):
    return [row[name] for row in rows]


CANDLES = [candle("ETHUSDT", minute) for minute in range(10)] + [candle("BTCUSDT", minute) for minute in range(5, 8)]


@pytest.fixture
def klines():
    return Reads(MemoryStore(klines=[*CANDLES, candle("ETHUSDT", 0, "1h")])).klines


def test_newest_candles_come_ascending_by_time(klines):
    assert times(klines(asked(symbol="ETHUSDT", limit=3))) == [7 * 60_000, 8 * 60_000, 9 * 60_000]


def test_from_is_inclusive_and_to_is_exclusive(klines):
    found = klines(asked(symbol="ETHUSDT", from_=2 * 60_000, to=4 * 60_000))
    assert times(found) == [2 * 60_000, 3 * 60_000]


def test_limit_with_from_gives_the_first_rows_so_that_a_reader_can_page(klines):
    assert times(klines(asked(symbol="ETHUSDT", from_=60_000, limit=2))) == [60_000, 2 * 60_000]


def test_limit_with_to_alone_gives_the_last_rows_before_it(klines):
    assert times(klines(asked(symbol="ETHUSDT", to=5 * 60_000, limit=2))) == [3 * 60_000, 4 * 60_000]


def test_several_symbols_are_merged_in_order_of_time(klines):
    found = klines(asked(symbol="ETHUSDT,BTCUSDT", from_=5 * 60_000, limit=4))
    assert [(row["open_time"] // 60_000, row["symbol"]) for row in found] == [
        (5, "BTCUSDT"), (5, "ETHUSDT"), (6, "BTCUSDT"), (6, "ETHUSDT"),
    ]


def test_newest_candles_of_several_symbols_are_the_last_rows_of_all(klines):
    found = klines(asked(symbol="ETHUSDT,BTCUSDT", limit=3))
    assert [(row["open_time"] // 60_000, row["symbol"]) for row in found] == [
        (7, "ETHUSDT"), (8, "ETHUSDT"), (9, "ETHUSDT"),
    ]


def test_candles_without_a_symbol_are_those_of_all_symbols_of_the_interval(klines):
    assert {row["symbol"] for row in klines(asked())} == {"ETHUSDT", "BTCUSDT"}
    assert klines(asked(interval="1h")) == [candle("ETHUSDT", 0, "1h")]
    assert klines(asked(interval="1d")) == []


def test_newest_trades_are_gathered_backwards_over_hours_until_enough():
    trades = [trade("ETHUSDT", hour * HOUR_MS + minute * 60_000) for hour in range(5) for minute in range(2)]
    store = with_trades(*trades)
    found = Reads(store).hourly("recent_trades", asked(symbol="ETHUSDT", limit=3))
    assert times(found, "trade_time") == sorted(times(trades, "trade_time"))[-3:]
    assert store.opened == [4 * HOUR_MS, 3 * HOUR_MS]


def test_trades_from_a_moment_are_gathered_forwards_over_hours():
    trades = [trade("ETHUSDT", hour * HOUR_MS + minute * 60_000) for hour in range(5) for minute in range(2)]
    store = with_trades(*trades)
    found = Reads(store).hourly("recent_trades", asked(symbol="ETHUSDT", from_=HOUR_MS + 1, limit=2))
    assert times(found, "trade_time") == [HOUR_MS + 60_000, 2 * HOUR_MS]
    assert store.opened == [HOUR_MS, 2 * HOUR_MS]


def test_range_inside_one_hour_opens_that_hour_only():
    trades = [trade("ETHUSDT", hour * HOUR_MS + 60_000) for hour in range(5)]
    store = with_trades(*trades)
    found = Reads(store).hourly("recent_trades", asked(symbol="ETHUSDT", from_=2 * HOUR_MS + 5, to=3 * HOUR_MS))
    assert times(found, "trade_time") == [2 * HOUR_MS + 60_000]
    assert store.opened == [2 * HOUR_MS]


@pytest.mark.parametrize("direction", [{"from_": 0}, {}])
def test_rows_spread_over_more_hours_than_are_looked_up_at_a_time_are_all_found(direction):
    count = 2 * HOURS_AT_A_TIME + 3
    trades = [trade("ETHUSDT", number * 7 * HOUR_MS + 1) for number in range(count)]
    store = with_trades(*trades)
    found = Reads(store).hourly("recent_trades", asked(symbol="ETHUSDT", limit=5000, **direction))
    assert times(found, "trade_time") == times(trades, "trade_time")
    assert len(store.opened) == len(set(store.opened)) == count


def test_symbol_of_another_table_has_no_hours_here():
    store = MemoryStore(stored_hours=[{"table_name": "order_book", "symbol": "ETHUSDT", "hour": 0}])
    assert Reads(store).hourly("recent_trades", asked()) == []
    assert store.opened == []


def current(symbol, price_at, stats_at, volume=1.0):
    from pipeline.tables import STATS

    stats = dict.fromkeys(STATS.columns, 1.0) | {"volume": volume}
    del stats["updated_at"]
    return {**stats, "quote_asset": "USDT", "symbol": symbol, "price": 5.0, "price_updated_at": price_at,
            "stats_updated_at": stats_at}


@pytest.fixture
def market():
    return Reads(MemoryStore(market_now=[
        current("AUSDT", 30, 10, 7.0), current("BUSDT", 10, 30, 9.0), current("CUSDT", 20, None, None),
    ]))


def test_prices_without_a_symbol_are_one_row_each_newest_last(market):
    rows = market.market("latest_prices", asked())
    assert rows[0] == {"symbol": "BUSDT", "price": 5.0, "updated_at": 10}
    assert times(rows, "symbol") == ["BUSDT", "CUSDT", "AUSDT"]
    assert times(market.market("latest_prices", asked(limit=2)), "symbol") == ["CUSDT", "AUSDT"]


def test_symbol_whose_statistics_were_cleared_is_not_listed(market):
    assert times(market.market("crypto_24h_stats", asked()), "symbol") == ["AUSDT", "BUSDT"]


def test_ranking_is_by_the_column_and_largest_first(market):
    assert times(market.ranking(asked(sort="volume")), "symbol") == ["BUSDT", "AUSDT"]
    assert times(market.ranking(asked(sort="volume", order="asc")), "symbol") == ["AUSDT", "BUSDT"]
    assert times(market.ranking(asked(sort="volume", limit=1)), "symbol") == ["BUSDT"]
    assert times(market.ranking(asked(sort="volume", symbol="AUSDT")), "symbol") == ["AUSDT"]


def test_symbols_say_their_quote_asset_whether_tracked_and_where_from():
    store = MemoryStore(
        market_now=[current("AUSDT", 1, 1), current("BUSDT", 1, 1)], klines=[candle("BUSDT", 1)],
        data_source=[{"name": "simulator", "base_url": "http://127.0.0.1:9600"}],
    )
    assert [(row["symbol"], row["quote_asset"], row["tracked"], row["source"]) for row in Reads(store).symbols()] == [
        ("AUSDT", "USDT", False, "simulator"), ("BUSDT", "USDT", True, "simulator"),
    ]


def test_symbols_before_any_row_came_are_none_and_no_error():
    assert Reads(MemoryStore()).symbols() == []
