"""How variables and macros of a dashboard are filled in."""

import pytest

from tests.support.grafana.variables import View, automatic, chosen, view

INTERVAL = {"type": "interval", "auto_count": 150, "auto_min": "1m", "current": {"value": "$__auto_interval_interval"}}
HOUR_MS = 3_600_000


def test_range_of_a_dashboard_ends_now() -> None:
    opened = view({"time": {"from": "now-6h", "to": "now"}}, 100 * HOUR_MS)
    assert (opened.from_ms, opened.to_ms) == (94 * HOUR_MS, 100 * HOUR_MS)


def test_variables_and_time_macros_are_filled_in() -> None:
    opened = View(1, 2, {"symbol": "ETHUSDT"})
    assert opened.filled("${symbol} $symbol ${__timeFrom} ${__timeTo}") == "ETHUSDT ETHUSDT 1 2"


def test_formats_of_variables_encode_the_value() -> None:
    opened = View(1, 2, {"symbol": "币'&A"})
    assert opened.filled("${symbol:percentencode}") == "%E5%B8%81%27%26A"
    assert opened.filled("${symbol:sqlstring}") == "'币''&A'"


def test_unknown_variable_is_an_error() -> None:
    with pytest.raises(KeyError):
        View(1, 2).filled("$nothing")


@pytest.mark.parametrize(
    ("hours", "expected"), [(1, "1m"), (3, "1m"), (6, "2m"), (24, "10m"), (24 * 7, "1h"), (24 * 90, "12h")]
)
def test_automatic_interval_follows_the_range(hours: int, expected: str) -> None:
    assert automatic(INTERVAL, hours * HOUR_MS) == expected


def test_first_option_is_chosen_if_the_current_one_does_not_exist() -> None:
    variable = {"type": "query", "current": {"value": "ETHUSDT"}}
    assert chosen(variable, ["ALGOUSDT", "ETHUSDT"], HOUR_MS) == "ETHUSDT"
    assert chosen(variable, ["ALGOUSDT"], HOUR_MS) == "ALGOUSDT"
