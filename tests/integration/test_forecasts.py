"""Candles in PostgreSQL become forecasts and scores, which reach the API through Debezium, Kafka,
the consumer and Cassandra."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
import requests
from psycopg2.extensions import connection as Connection

from pipeline import postgres as postgres_connections
from pipeline.forecast.minutes import Candle
from pipeline.intervals import MINUTE_MS, floor_ms
from pipeline.settings import Settings, load
from pipeline.times import DAY_MS, ms_to_datetime, now_ms
from tests.support.klines import insert_klines
from tests.support.program import Program
from tests.support.random_candles import random_candles
from tests.support.waiting import wait_until

SYMBOL, NEW_SYMBOL = "FORECASTUSDT", "LATEUSDT"
HISTORY_MINUTES = 3 * 1440
# Ends in the past, so that tests can add minutes.
END_MS = floor_ms(now_ms(), MINUTE_MS) - 120 * MINUTE_MS
HORIZONS = {"15m": 15, "1h": 60}
MADE = "horizon, made_at, closes_at, model, price, volatility, naive_volatility, lower_price, upper_price"


def candles_from(start_ms: int, count: int, seed: int = 1) -> list[Candle]:
    return list(random_candles(start_ms, count, seed))


def select(postgres: Connection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with postgres.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def newest(postgres: Connection, symbol: str) -> Callable[[], object]:
    """For wait_until: the newest forecast's time in ms of each horizon."""
    return lambda: dict(
        select(
            postgres,
            "SELECT horizon, max((extract(epoch FROM made_at) * 1000)::bigint) FROM forecasts WHERE symbol = %s "
            "GROUP BY horizon",
            symbol,
        )
    )


def wait_for_forecasts(postgres: Connection, symbol: str, made_at_ms: int) -> None:
    read = newest(postgres, symbol)
    wanted = dict.fromkeys(HORIZONS, made_at_ms)
    wait_until(lambda: read() == wanted or read(), 60, f"forecasts of {symbol}")


@pytest.fixture(scope="module")
def forecaster(start: Callable[..., Program], postgres: Connection) -> Iterator[Callable[[], Program]]:
    """Starts the forecaster; the one before must have been stopped."""
    started: list[Program] = []

    def run() -> Program:
        started.append(start("forecast_volatility.py", SYMBOLS=f"{SYMBOL},{NEW_SYMBOL}", LOG_FORMAT="json"))
        return started[-1]

    insert_klines(postgres, SYMBOL, candles_from(END_MS - HISTORY_MINUTES * MINUTE_MS, HISTORY_MINUTES))
    yield run
    for program in started:
        if program.process.poll() is None:
            program.stop()


def rows_of(api: str, **parameters: object) -> list[dict[str, Any]]:
    """Every row, page by page."""
    found: list[dict[str, Any]] = []
    url, query = f"{api}/forecasts", {"symbol": SYMBOL, "limit": 1000, "from": END_MS - 2 * DAY_MS, **parameters}
    while True:
        reply = requests.get(url, params=query, timeout=10)
        assert reply.status_code == 200, reply.text
        found += reply.json()
        if "next" not in reply.links:
            return found
        url, query = api + reply.links["next"]["url"].removeprefix(api), {}


def logged(program: Program, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in program.output().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def test_forecasts_and_scores_reach_the_api(
    forecaster: Callable[[], Program], consumer: Program, api: str, postgres: Connection
) -> None:
    with forecaster() as program:
        wait_for_forecasts(postgres, SYMBOL, END_MS)
        wait_until(program.healthy, 10, "the forecaster's health")
        wait_until(lambda: bool(logged(program, "state_rebuilt")) or program.output(), 20, "the rebuilt state")
        assert logged(program, "state_rebuilt")[0]["took_s"] < 30
        for name, minutes in HORIZONS.items():
            stored = select(
                postgres,
                "SELECT count(*), count(realized_volatility) FROM forecasts WHERE symbol = %s AND horizon = %s",
                SYMBOL,
                name,
            )[0]
            wait_until(
                lambda name=name, stored=stored: (
                    scored(rows_of(api, horizon=name)) == stored or scored(rows_of(api, horizon=name))
                ),
                60,
                "every row with its score in the API",
            )
            check_rows(rows_of(api, horizon=name), minutes)
        assert program.metric("forecast_made_total") > 2000
        assert program.metric("forecast_qlike_ratio", symbol=SYMBOL, horizon="1h") > 0


def scored(rows: list[dict[str, Any]]) -> tuple[int, int]:
    return len(rows), sum(row["realized_volatility"] is not None for row in rows)


def check_rows(rows: list[dict[str, Any]], minutes: int) -> None:
    made_at = [row["made_at"] for row in rows]
    # A day of minutes up to the last candle; the two hours since then are no longer within a day.
    assert made_at == list(range(made_at[0], END_MS + 1, MINUTE_MS))
    assert now_ms() - DAY_MS - 5 * MINUTE_MS < made_at[0] < now_ms() - DAY_MS + 10 * MINUTE_MS
    assert {row["closes_at"] - row["made_at"] for row in rows} == {minutes * MINUTE_MS}
    assert {row["model"] for row in rows} <= {"log_har", "ewma"}
    assert any(row["model"] == "log_har" for row in rows)
    for row in rows:
        assert row["lower_price"] < row["price"] < row["upper_price"]
        is_closed = row["closes_at"] <= END_MS
        assert (row["qlike"] is not None) == (row["hit"] is not None) == is_closed
        if is_closed:
            assert row["hit"] == (row["lower_price"] <= row["close_price"] <= row["upper_price"])
        if is_closed:
            ratio = (row["realized_volatility"] / row["volatility"]) ** 2
            assert row["qlike"] == pytest.approx(ratio - math.log(ratio) - 1)
    hits = [row["hit"] for row in rows if row["hit"] is not None]
    assert 0.8 < sum(hits) / len(hits) < 0.97


def test_restart_keeps_what_was_forecast_and_makes_up_for_what_was_missed(
    forecaster: Callable[[], Program], postgres: Connection
) -> None:
    before = made_rows(postgres, END_MS)
    insert_klines(postgres, SYMBOL, candles_from(END_MS, 40, seed=2))
    with forecaster():
        wait_for_forecasts(postgres, SYMBOL, END_MS + 40 * MINUTE_MS)
    assert made_rows(postgres, END_MS) == before
    unscored = select(
        postgres,
        "SELECT min(closes_at) FROM forecasts WHERE symbol = %s AND realized_volatility IS NULL",
        SYMBOL,
    )
    assert unscored == [(ms_to_datetime(END_MS + 41 * MINUTE_MS),)]


def made_rows(postgres: Connection, until_ms: int) -> list[tuple[Any, ...]]:
    return select(
        postgres,
        f"SELECT {MADE} FROM forecasts WHERE symbol = %s AND made_at <= %s ORDER BY 1, 2",
        SYMBOL,
        ms_to_datetime(until_ms),
    )


def test_windows_with_a_missing_candle_are_forecast_and_not_scored(
    forecaster: Callable[[], Program], postgres: Connection
) -> None:
    start_ms = END_MS + 40 * MINUTE_MS
    some = candles_from(start_ms, 40, seed=3)
    insert_klines(postgres, SYMBOL, some[:3] + some[6:])  # three minutes are missing
    with forecaster():
        wait_for_forecasts(postgres, SYMBOL, start_ms + 40 * MINUTE_MS)
    rows = select(
        postgres,
        "SELECT (extract(epoch FROM made_at - %s) / 60)::int, realized_volatility IS NOT NULL FROM forecasts "
        "WHERE symbol = %s AND horizon = '15m' AND made_at > %s ORDER BY 1",
        ms_to_datetime(start_ms),
        SYMBOL,
        ms_to_datetime(start_ms),
    )
    assert [minute for minute, _ in rows] == [1, 2, 3, *range(7, 41)]
    # The window before and the one after must be whole; the return of minute 7 is unknown too.
    assert [minute for minute, is_scored in rows if is_scored] == list(range(22, 26))


def test_new_symbol_is_forecast_as_soon_as_it_has_candles(
    forecaster: Callable[[], Program], consumer: Program, api: str, postgres: Connection
) -> None:
    with forecaster() as program:
        wait_until(lambda: bool(logged(program, "state_rebuilt")) or program.output(), 20, "the rebuilt state")
        insert_klines(postgres, NEW_SYMBOL, candles_from(END_MS, 90, seed=4))
        wait_for_forecasts(postgres, NEW_SYMBOL, END_MS + 90 * MINUTE_MS)
    (count,) = select(postgres, "SELECT count(*) FROM forecasts WHERE symbol = %s AND horizon = '15m'", NEW_SYMBOL)
    wait_until(lambda: len(rows_of(api, symbol=NEW_SYMBOL)) == count[0], 30, "its rows in the API")
    rows = rows_of(api, symbol=NEW_SYMBOL)
    assert {row["model"] for row in rows} == {"ewma"}
    assert len(rows_of(api, symbol=NEW_SYMBOL, horizon="60m")) == count[0]
    (few,) = [requests.get(f"{api}/forecasts?symbol={NEW_SYMBOL}&points=10&from={END_MS}", timeout=10).json()]
    assert 5 <= len(few) <= 10
    assert {row["symbol"] for row in requests.get(f"{api}/forecasts", timeout=10).json()} >= {SYMBOL}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM forecasts",
        "UPDATE klines SET close_price = 1",
        "SELECT 1 FROM latest_prices",
        "CREATE TABLE mine (id int)",
    ],
)
def test_role_of_the_forecaster_has_no_other_rights(settings: Settings, stack: Any, statement: str) -> None:
    own = load("forecaster", environ=stack.environ, dotenv="/dev/null")
    connection = postgres_connections.connect(own, "test")
    try:
        with connection, connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)
    finally:
        connection.close()
