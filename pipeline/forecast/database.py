"""PostgreSQL for the forecaster: reads closed candles, writes forecasts and scores. Knows SQL;
knows nothing of models."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from pipeline import postgres
from pipeline.forecast.forecaster import Forecast, Score
from pipeline.forecast.minutes import Candle
from pipeline.intervals import MINUTE_MS, interval_name
from pipeline.tables import FORECASTS, KLINES
from pipeline.times import datetime_to_ms, ms_to_datetime

# Candles of one symbol per read, and rows per statement.
PAGE_ROWS = 1000
# Casts: a float is read 20 times faster than a Decimal, and statistics need no more.
READ_CANDLES = f"""
    SELECT wanted.symbol, found.* FROM unnest(%s::text[], %s::timestamptz[]) AS wanted (symbol, after),
    LATERAL (SELECT (extract(epoch FROM open_time) * 1000)::bigint, high_price::float8, low_price::float8,
                    close_price::float8, number_of_trades
             FROM {KLINES.name} WHERE symbol = wanted.symbol AND interval = '1m' AND is_closed
             AND open_time > wanted.after ORDER BY open_time LIMIT {PAGE_ROWS}) AS found"""
# The newest candle of each, however old.
NEWEST_CANDLES = f"""
    SELECT wanted.symbol, found.open_time FROM unnest(%s::text[]) AS wanted (symbol),
    LATERAL (SELECT open_time FROM {KLINES.name} WHERE symbol = wanted.symbol AND interval = '1m' AND is_closed
             ORDER BY open_time DESC LIMIT 1) AS found"""
NEWEST_FORECASTS = f"""
    SELECT symbols.symbol, horizons.horizon, found.made_at
    FROM unnest(%s::text[]) AS symbols (symbol), unnest(%s::text[]) AS horizons (horizon),
    LATERAL (SELECT made_at FROM {FORECASTS.name} WHERE symbol = symbols.symbol AND horizon = horizons.horizon
             ORDER BY made_at DESC LIMIT 1) AS found"""
# What was forecast stays as it was: a later run may come to slightly other figures.
INSERT = f"""
    INSERT INTO {FORECASTS.name} (symbol, horizon, made_at, closes_at, model, price, volatility, naive_volatility,
        lower_price, upper_price, recent_qlike_ratio, recent_coverage) VALUES %s ON CONFLICT DO NOTHING"""
# The scores are computed from the row as it was written, which an earlier run may have done.
SCORE = f"""
    UPDATE {FORECASTS.name} AS made SET
        realized_volatility = score.realized, close_price = score.close_price,
        qlike = (score.realized / volatility) ^ 2 - 2 * ln(score.realized / volatility) - 1,
        naive_qlike = (score.realized / naive_volatility) ^ 2 - 2 * ln(score.realized / naive_volatility) - 1,
        hit = score.close_price BETWEEN lower_price AND upper_price, updated_at = now()
    FROM (VALUES %s) AS score (symbol, horizon, made_at, realized, close_price)
    WHERE made.symbol = score.symbol AND made.horizon = score.horizon AND made.made_at = score.made_at
        AND made.realized_volatility IS NULL"""
SCORE_TEMPLATE = "(%s, %s, %s::timestamptz, %s::float8, %s::numeric)"


class Tables:
    """Reads and writes on one connection; every call is a transaction. Raises psycopg2 errors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def candles(self, after_ms: Mapping[str, int]) -> dict[str, list[Candle]]:
        """The next closed candles of each symbol that open after the given time; at most PAGE_ROWS
        of each."""
        found: dict[str, list[Candle]] = {symbol: [] for symbol in after_ms}
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(READ_CANDLES, (list(after_ms), list(map(ms_to_datetime, after_ms.values()))))
            for symbol, *values in cursor:
                found[symbol].append(Candle(*values))
        return found

    def all_candles(self, symbols: Iterable[str]) -> dict[str, list[Candle]]:
        """Every closed candle of these symbols."""
        found: dict[str, list[Candle]] = {symbol: [] for symbol in symbols}
        while any(page := self.candles({symbol: last_open_ms(several) for symbol, several in found.items()}).values()):
            for symbol, more in zip(found, page):
                found[symbol] += more
        return found

    def newest_candles(self, symbols: Iterable[str]) -> dict[str, int]:
        """Open time in ms of the newest closed candle of each symbol that has one."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(NEWEST_CANDLES, (list(symbols),))
            return {symbol: datetime_to_ms(open_time) for symbol, open_time in cursor}

    def newest_forecasts(self, symbols: Iterable[str], horizons: Iterable[int]) -> dict[tuple[str, int], int]:
        """`made_at` in ms of the newest forecast by symbol and horizon."""
        names = {horizon_name(horizon): horizon for horizon in horizons}
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(NEWEST_FORECASTS, (list(symbols), list(names)))
            return {(symbol, names[name]): datetime_to_ms(made_at) for symbol, name, made_at in cursor}

    def write(self, forecasts: Iterable[Forecast], scores: Iterable[Score]) -> None:
        """Commit all of them or nothing. What is stored already is left as it is."""
        with self._connection, self._connection.cursor() as cursor:
            execute_values(cursor, INSERT, list(map(forecast_row, forecasts)), page_size=PAGE_ROWS)
            execute_values(cursor, SCORE, list(map(score_row, scores)), SCORE_TEMPLATE, page_size=PAGE_ROWS)


class Database(postgres.Database[Tables]):
    def __init__(self, connect: Callable[[], Connection]) -> None:
        super().__init__(connect, Tables)


def last_open_ms(candles: Sequence[Candle]) -> int:
    return candles[-1].open_time_ms if candles else 0


def horizon_name(horizon: int) -> str:
    """`15m`, `1h`: as the table and the API name it."""
    return interval_name(horizon * MINUTE_MS)


def forecast_row(made: Forecast) -> tuple[object, ...]:
    naive = None if made.naive_variance is None else math.sqrt(made.naive_variance)
    return (
        made.symbol,
        horizon_name(made.horizon),
        ms_to_datetime(made.made_at_ms),
        ms_to_datetime(made.closes_at_ms),
        made.model,
        made.price,
        math.sqrt(made.variance),
        naive,
        made.lower_price,
        made.upper_price,
        made.recent_qlike_ratio,
        made.recent_coverage,
    )


def score_row(score: Score) -> tuple[object, ...]:
    return (
        score.symbol,
        horizon_name(score.horizon),
        ms_to_datetime(score.made_at_ms),
        math.sqrt(score.realized_variance),
        score.close_price,
    )
