"""/forecasts: the partition of symbol and horizon, pages in both directions, downsampling."""

from urllib.parse import urljoin

import pytest
import requests

from pipeline.times import HOUR_MS
from tests.integration.api.known import FORECASTS, MINUTE_MS, T0

ONE, TWO = "FOREUSDT", "FORFUSDT"


def made(symbol, horizon):
    return [row["made_at"] for row in FORECASTS if (row["symbol"], row["horizon"]) == (symbol, horizon)]


def all_pages(base, **arguments):
    reply = requests.get(f"{base}/forecasts", params={name.rstrip("_"): v for name, v in arguments.items()}, timeout=15)
    found = []
    while True:
        assert reply.status_code == 200, reply.text
        found += reply.json()
        if "next" not in reply.links:
            return found
        reply = requests.get(urljoin(reply.url, reply.links["next"]["url"]), timeout=15)


def test_newest_rows_ascend_and_have_every_column(rows):
    found = rows("/forecasts", symbol=ONE, limit=20)
    assert [row["made_at"] for row in found] == made(ONE, "15m")[-20:]
    expected = next(row for row in FORECASTS if row["made_at"] == found[0]["made_at"] and row["symbol"] == ONE)
    assert {name: found[0][name] for name in expected} == expected
    assert (found[-1]["qlike"], found[-1]["hit"]) == (None, None)


@pytest.mark.parametrize("limit", [7, 60, 180])
def test_pages_lead_through_every_row_in_time_order(base, limit):
    assert [row["made_at"] for row in all_pages(base, symbol=ONE, from_=T0, limit=limit)] == made(ONE, "15m")


def test_two_symbols_are_merged_by_time(base):
    found = all_pages(base, symbol=f"{TWO},{ONE}", from_=T0, to=T0 + HOUR_MS, limit=11)
    assert [(row["made_at"], row["symbol"]) for row in found] == [
        (T0 + number * MINUTE_MS, symbol) for number in range(60) for symbol in (ONE, TWO)
    ]


@pytest.mark.parametrize("horizon", ["1h", "60m"])
def test_other_horizon_has_its_own_rows(rows, horizon):
    found = rows("/forecasts", symbol=ONE, horizon=horizon, from_=T0, limit=500)
    assert [row["made_at"] for row in found] == made(ONE, "1h")
    assert {row["horizon"] for row in found} == {"1h"}


def test_without_symbol_the_newest_rows_of_all_symbols_of_the_horizon(rows):
    assert [row["made_at"] for row in rows("/forecasts", limit=5)] == made(ONE, "15m")[-5:]
    assert {row["symbol"] for row in rows("/forecasts", limit=5, to=T0 + 10 * MINUTE_MS)} == {ONE, TWO}


def test_points_gives_the_last_row_of_each_bucket(rows):
    found = rows("/forecasts", symbol=ONE, from_=T0, to=T0 + 3 * HOUR_MS, points=12)
    assert [row["made_at"] for row in found] == [T0 + (15 * number + 14) * MINUTE_MS for number in range(12)]


def test_horizon_without_forecasts_is_an_empty_array(rows):
    assert rows("/forecasts", horizon="4h") == rows("/forecasts", symbol=ONE, horizon="4h") == []
