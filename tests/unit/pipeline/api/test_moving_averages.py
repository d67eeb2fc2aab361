from pipeline.api.moving_averages import with_averages


def candles(*closes, symbol="A"):
    return [{"symbol": symbol, "close_price": close} for close in closes]


def averages(rows, earlier=(), names=("ma_7",), places=2):
    return [row[names[0]] for row in with_averages(rows, earlier, names, lambda symbol: places)]


def test_average_is_of_the_last_closes_the_candle_included():
    rows = candles(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 15.0)
    assert averages(rows) == [None] * 6 + [4.0, 6.0]


def test_earlier_candles_count_so_that_the_first_candle_has_an_average():
    assert averages(candles(7.0), candles(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)) == [4.0]
    assert averages(candles(1.0), candles(*[1.0] * 24), ("ma_25",)) == [1.0]
    assert averages(candles(1.0), candles(*[1.0] * 23), ("ma_25",)) == [None]


def test_average_has_the_decimals_of_the_price():
    assert averages(candles(*[1.0] * 6, 2.0))[-1] == 1.14
    assert averages(candles(*[0.1] * 6, 0.2), places=5)[-1] == 0.11429
    assert averages(candles(*[1.0] * 6, 2.001), places=2)[-1] == 1.143


def test_symbols_are_averaged_apart():
    rows = [row for pair in zip(candles(*[1.0] * 7), candles(*[3.0] * 7, symbol="B")) for row in pair]
    assert averages(rows)[-2:] == [1.0, 3.0]
