"""Replayed rows equal the recorded ones except for the time shift, and appear at their time."""

from decimal import Decimal

import pytest

from simulator.intervals import HOUR_MS, MINUTE_MS
from simulator.replay.replay_market import ReplayMarket

from .conftest import RECORDINGS, REPLAY_START_MS, SAMPLES, Clock, client_of

AFTER_ALL_MS = REPLAY_START_MS + 3 * 24 * HOUR_MS
START_MINUTE_MS = REPLAY_START_MS - REPLAY_START_MS % MINUTE_MS
NOTHING = {"lastUpdateId": 0, "bids": [], "asks": []}


def recorded(folder, name):
    return [line.split(",") for line in (folder / name).read_text().splitlines()]


def paged_klines(source, symbol, now_ms):
    rows, start_ms = [], 0
    while page := source.klines(symbol, "1m", now_ms, start_ms, None, 1000):
        rows += page
        start_ms = page[-1][0] + 1
    return rows


@pytest.mark.parametrize("folder", [SAMPLES, RECORDINGS], ids=["samples", "examples"])
def test_every_recorded_row_is_returned_verbatim(folder):
    source = ReplayMarket(folder, REPLAY_START_MS)
    for symbol, name in (("ALGOUSDT", "ALGOUSDT-1m-2024-09-03.csv"), ("AVAXUSDT", "AVAXUSDT-1m-2023-09-05.csv")):
        shift_ms = source.shift_ms(symbol)
        returned = [[str(field) for field in row] for row in paged_klines(source, symbol, AFTER_ALL_MS)]
        expected = recorded(folder, name)
        for row in expected:
            row[0], row[6] = str(int(row[0]) + shift_ms), str(int(row[6]) + shift_ms)
        assert returned == expected
    returned = source.agg_trades("XRPETH", AFTER_ALL_MS, None, 0, None, 5000)
    for row in returned:
        row["T"] -= source.shift_ms("XRPETH")
    fields = [[str(row[name]) for name in "apqflTmM"] for row in returned]
    assert fields == recorded(folder, "XRPETH-aggTrades-2019-10-11.csv")


@pytest.mark.parametrize("symbol", ["ALGOUSDT", "AVAXUSDT", "XRPETH"])
def test_the_minute_of_the_first_row_becomes_the_start_minute(replay, symbol):
    assert replay.klines(symbol, "1m", AFTER_ALL_MS, 0, None, 1)[0][0] == START_MINUTE_MS


def test_rows_appear_only_at_their_time(replay):
    assert replay.klines("ALGOUSDT", "1m", START_MINUTE_MS - 1, None, None, 10) == []
    assert replay.price("ALGOUSDT", START_MINUTE_MS - 1) is None
    assert replay.agg_trades("XRPETH", START_MINUTE_MS - 1, None, None, None, 10) == []
    for minutes in range(30):
        now_ms = START_MINUTE_MS + minutes * MINUTE_MS
        assert len(replay.klines("ALGOUSDT", "1m", now_ms, None, None, 100)) == minutes + 1
    times_ms = [row["T"] for row in replay.agg_trades("XRPETH", AFTER_ALL_MS, None, 0, None, 100)]
    for now_ms in times_ms:
        shown = [row["T"] for row in replay.agg_trades("XRPETH", now_ms, None, None, None, 100)]
        assert shown == [time_ms for time_ms in times_ms if time_ms <= now_ms]


def test_nothing_new_appears_after_the_recording_ends(replay):
    later_ms = AFTER_ALL_MS + 24 * HOUR_MS
    for symbol in ("ALGOUSDT", "XRPETH"):
        assert replay.klines(symbol, "1m", AFTER_ALL_MS, None, None, 100) == replay.klines(
            symbol, "1m", later_ms, None, None, 100
        )
    found = replay.statistics("ALGOUSDT", later_ms)
    assert found["lastPrice"] == found["openPrice"] == recorded(SAMPLES, "ALGOUSDT-1m-2024-09-03.csv")[-1][4]
    assert (Decimal(found["volume"]), found["count"]) == (0, 0)


def test_open_candle_grows_inside_its_final_row(replay):
    final = replay.klines("ALGOUSDT", "1m", AFTER_ALL_MS, 0, None, 1)[0]
    states = [replay.klines("ALGOUSDT", "1m", final[0] + ms, None, None, 1)[0] for ms in range(0, MINUTE_MS, 997)]
    assert states[0][1:6] == [final[1]] * 4 + ["0.0"]
    for state in states:
        low, high = Decimal(state[3]), Decimal(state[2])
        assert Decimal(final[3]) <= low <= Decimal(state[4]) <= high <= Decimal(final[2])
        assert state[0:2] == final[0:2]
    for place in (5, 7, 8, 9, 10):
        values = [Decimal(state[place]) for state in states]
        assert values == sorted(values)
        assert values[-1] <= Decimal(final[place])
    assert replay.klines("ALGOUSDT", "1m", final[6], None, None, 1)[0] != final
    assert replay.klines("ALGOUSDT", "1m", final[6] + 1, 0, None, 1)[0] == final


def test_open_candle_moves_in_the_recordings_ticks(replay):
    final = replay.klines("AVAXUSDT", "1m", AFTER_ALL_MS, 0, None, 1)[0]
    for ms in range(0, MINUTE_MS, 997):
        price = replay.price("AVAXUSDT", final[0] + ms)
        assert price.endswith("0")
        assert len(price) == len(final[1])


def test_longer_candles_join_the_recorded_ones(replay):
    minutes = replay.klines("ALGOUSDT", "1m", AFTER_ALL_MS, 0, None, 100)
    for candle in replay.klines("ALGOUSDT", "15m", AFTER_ALL_MS, 0, None, 100):
        parts = [row for row in minutes if candle[0] <= row[0] <= candle[6]]
        assert candle[0] % (15 * MINUTE_MS) == 0
        assert (candle[1], candle[4]) == (parts[0][1], parts[-1][4])
        assert candle[2] == max((row[2] for row in parts), key=Decimal)
        assert candle[3] == min((row[3] for row in parts), key=Decimal)
        assert Decimal(candle[5]) == sum(Decimal(row[5]) for row in parts)
        assert candle[8] == sum(row[8] for row in parts)


def test_candles_of_a_trades_only_symbol_are_the_sums_of_its_trades(replay):
    trades = replay.agg_trades("XRPETH", AFTER_ALL_MS, None, 0, None, 100)
    candles = replay.klines("XRPETH", "1m", AFTER_ALL_MS, 0, None, 100)
    for candle in candles:
        inside = [row for row in trades if candle[0] <= row["T"] <= candle[6]]
        assert Decimal(candle[5]) == sum(Decimal(row["q"]) for row in inside)
        assert candle[8] == sum(row["l"] - row["f"] + 1 for row in inside)
        if inside:
            assert (candle[1], candle[4]) == (inside[0]["p"], inside[-1]["p"])
    assert [candle[0] for candle in candles] == list(range(candles[0][0], candles[-1][0] + 1, MINUTE_MS))
    assert candles[0][0] <= trades[0]["T"]
    assert candles[-1][6] >= trades[-1]["T"]


def test_open_candle_of_a_trades_only_symbol_holds_the_trades_so_far(replay):
    trades = replay.agg_trades("XRPETH", AFTER_ALL_MS, None, 0, None, 100)
    now_ms = trades[3]["T"]
    open_ms = now_ms - now_ms % MINUTE_MS
    inside = [row for row in trades if open_ms <= row["T"] <= now_ms]
    candle = replay.klines("XRPETH", "1m", now_ms, None, None, 1)[0]
    assert (candle[0], candle[4], candle[8]) == (
        open_ms,
        trades[3]["p"],
        sum(row["l"] - row["f"] + 1 for row in inside),
    )


def test_no_order_book_and_no_trades_are_invented(replay):
    assert replay.depth("ALGOUSDT", 10, AFTER_ALL_MS) == NOTHING
    assert replay.agg_trades("ALGOUSDT", AFTER_ALL_MS, None, None, None, 10) == []
    assert len(replay.depth("NKNUSDT", 5, AFTER_ALL_MS)["bids"]) == 5
    assert replay.depth("NKNUSDT", 5, AFTER_ALL_MS) == replay.depth("NKNUSDT", 5, 0)
    assert replay.price("NKNUSDT", AFTER_ALL_MS) is None


def test_statistics_come_from_the_visible_rows(replay):
    now_ms = START_MINUTE_MS + 10 * MINUTE_MS + 30_000
    found = replay.statistics("ALGOUSDT", now_ms)
    rows = replay.klines("ALGOUSDT", "1m", now_ms, None, None, 100)
    assert found["openPrice"] == rows[0][1]
    assert found["lastPrice"] == rows[-1][4] == replay.price("ALGOUSDT", now_ms)
    assert Decimal(found["highPrice"]) == max(Decimal(row[2]) for row in rows)
    assert Decimal(found["volume"]) == sum(Decimal(row[5]) for row in rows)
    assert found["count"] == sum(row[8] for row in rows)


def test_assets_and_status_come_from_exchange_info_or_the_name(replay):
    listings = {listing.symbol: listing for listing in replay.symbols()}
    assert (listings["XRPETH"].base_asset, listings["XRPETH"].quote_asset) == ("XRP", "ETH")
    assert (listings["ALGOUSDT"].base_asset, listings["ALGOUSDT"].status) == ("ALGO", "TRADING")


def test_replayed_symbols_are_listed_with_shift_and_files(replay):
    client = client_of(replay, Clock(AFTER_ALL_MS))
    found = client.get("/sim/replay").get_json()
    assert found["ALGOUSDT"] == {"shift_ms": replay.shift_ms("ALGOUSDT"), "files": ["ALGOUSDT-1m-2024-09-03.csv"]}
    assert "replay of recorded data (ALGOUSDT-1m-2024-09-03.csv" in client.get("/api/v3/ping").headers["X-Data-Source"]


def test_symbols_without_any_trade_are_omitted_from_market_wide_tickers(replay):
    client = client_of(replay, Clock(AFTER_ALL_MS))
    for path in ("/api/v3/ticker/price", "/api/v3/ticker/24hr"):
        assert [row["symbol"] for row in client.get(path).get_json()] == ["ALGOUSDT", "AVAXUSDT", "XRPETH"]
    assert client.get("/api/v3/ticker/price?symbol=NKNUSDT").get_json() == {"symbol": "NKNUSDT", "price": "0.00000000"}
