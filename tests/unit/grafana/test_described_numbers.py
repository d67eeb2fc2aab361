"""The numbers in panel descriptions and alert texts are those of the code and the configuration."""

import json
import re

import pytest

from local.services.postgres import SERVER_SETTINGS
from pipeline.api.freshness import LATE_AFTER_POLLS, SLACK_SECONDS
from pipeline.api.moving_averages import LENGTHS
from pipeline.forecast.scoring import WANTED_COVERAGE
from tests.support.grafana.alerts import threshold
from tests.support.grafana.files import ROOT, alert_rules, dashboards, panels, read_yaml, recording_rules

PANELS = {
    (uid, panel["title"]): panel
    for uid, made in dashboards().items()
    for panel in panels(made)
    if panel["type"] != "row"
}
ALERTS = {rule["uid"]: rule for rule in alert_rules()}
PERCENTILE = r"(\d+) % of the requests"
WORDS = {"a": 1, "five": 5, "ten": 10}
# In descriptions, but set nowhere: measured figures, the length of the exchange's statistics, the
# bounds of a percentage, classes of HTTP status.
SET_NOWHERE = [
    "Usually below 0.3 s",
    "Usually below 0.05 s",
    "24 hours",
    "24-hour",
    "1-minute",
    "Near 0",
    "not 0",
    "at 0",
    "Above 0",
    "below 0",
    "Below 1",
    "above 1",
    "4xx",
    "5xx",
]


def heartbeat_seconds() -> float:
    config = json.loads((ROOT / "debezium" / "connector.json").read_text(encoding="utf-8"))
    return int(config["heartbeat.interval.ms"]) / 1000


def highest_threshold(title: str) -> float:
    panel = PANELS["pipeline-health", title]
    return panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]


def limit_of_request(uid: str, title: str) -> float:
    (target,) = PANELS[uid, title]["targets"]
    return next(float(each["value"]) for each in target["url_options"]["params"] if each["key"] == "limit")


def slot_limit_gib() -> float:
    """Of PostgreSQL without Docker. Its unit GB is 1024³ bytes."""
    return float(SERVER_SETTINGS["max_slot_wal_keep_size"].removesuffix("GB"))


def minutes_of_rule(record: str) -> float:
    (expression,) = recording_rules()[record]
    (minutes,) = set(re.findall(r"\[(\d+)m\]", expression))
    return float(minutes)


def seconds_until_redis_counts_as_old() -> float:
    (expression,) = recording_rules()["crypto:redis_not_current:bool"]
    return float(re.search(r"behind_seconds\) > bool (\d+)", expression)[1])


# Text of the panel's description with the number as a group, and what the number must be.
DESCRIBED = [
    ("pipeline-health", "Heartbeat", r"every (\d+) s", heartbeat_seconds()),
    ("pipeline-health", "Heartbeat", r"More than (a) minute", highest_threshold("Heartbeat") / 60),
    ("pipeline-health", "WAL held back by the slot", r"at (\d+) GiB", slot_limit_gib()),
    ("pipeline-health", "Is every table fresh?", r"(\w+) polls and", LATE_AFTER_POLLS),
    ("pipeline-health", "Is every table fresh?", r"polls and (\d+) s", SLACK_SECONDS),
    (
        "pipeline-health",
        "Used share of weight limit",
        r"Above (\d+) %",
        100 * highest_threshold("Used share of weight limit"),
    ),
    ("pipeline-health", "API errors", r"last (\w+) minutes", minutes_of_rule("crypto:api_errors:ratio5m")),
    (
        "market-overview",
        "Biggest moves up",
        r"The (\w+) symbols",
        limit_of_request("market-overview", "Biggest moves up"),
    ),
    (
        "market-overview",
        "Biggest moves down",
        r"The (\w+) symbols",
        limit_of_request("market-overview", "Biggest moves down"),
    ),
    ("forecast", "$symbol in the next $horizon", r"(\d+) %", 100 * WANTED_COVERAGE),
    (
        "forecast",
        "$symbol price and forecast range",
        r"(\d+) % of the minutes",
        100 - 100 * WANTED_COVERAGE,
    ),
    ("forecast", "Coverage of the range, last day", r"(\d+) %", 100 * WANTED_COVERAGE),
    ("forecast", "Latest forecasts", r"newest (\d+) forecasts", limit_of_request("forecast", "Latest forecasts")),
    ("pipeline-health", "Coverage of the forecast ranges", r"(\d+) %", 100 * WANTED_COVERAGE),
    ("pipeline-health", "Current state in Redis", r"last (\d+) s", seconds_until_redis_counts_as_old()),
    ("symbol", "$symbol candles of $interval", r"last (\d+) \(", LENGTHS["ma_7"]),
    ("symbol", "$symbol candles of $interval", r"and (\d+) \(", LENGTHS["ma_25"]),
    ("symbol", "Latest trades", r"newest (\d+) trades", limit_of_request("symbol", "Latest trades")),
    ("live", "Trades before", r"newest (\d+) trades", limit_of_request("live", "Trades before")),
    ("live", "Trades as they come", r"newest (\d+) trades", limit_of_request("live", "Trades before")),
]
# The same for the title of a panel and for the text of an alert.
TITLED = [
    ("market-overview", r"(\w+) most traded", limit_of_request("market-overview", "Ten most traded")),
    ("pipeline-health", r"Dead letters in (\d+) minutes", minutes_of_rule("crypto:dead_letters:15m")),
]
ALERTED = [
    ("stale-table", r"duration of (\w+) polls", LATE_AFTER_POLLS),
    ("stale-table", r"polls and (\d+) s", SLACK_SECONDS),
    ("dead-letters", r"last (\d+) minutes", minutes_of_rule("crypto:dead_letters:15m")),
    ("records-lost", r"last (\d+) minutes", minutes_of_rule("crypto:records_lost:15m")),
    ("slot-retains-wal", r"more than (\d+) MiB", threshold(ALERTS["slot-retains-wal"])[1] / 1024**2),
    ("slot-retains-wal", r"At (\d+) GiB", slot_limit_gib()),
    ("exchange-weight", r"More than (\d+) %", 100 * threshold(ALERTS["exchange-weight"])[1]),
    ("redis-not-current", r"more than (\d+) s", seconds_until_redis_counts_as_old()),
    ("api-errors", r"More than (\d+) %", 100 * threshold(ALERTS["api-errors"])[1]),
    ("api-errors", r"last (\w+) minutes", minutes_of_rule("crypto:api_errors:ratio5m")),
]


def number_in(text: str, pattern: str) -> float:
    match = re.search(pattern, text)
    assert match, f"{pattern!r} does not occur in {text!r}"
    return float(WORDS.get(match[1].lower(), match[1]))


def alert_text(uid: str) -> str:
    return "\n".join(ALERTS[uid]["annotations"][key] for key in ("summary", "description"))


@pytest.mark.parametrize(("uid", "title", "pattern", "expected"), DESCRIBED)
def test_number_in_a_description_is_that_of_the_code(uid: str, title: str, pattern: str, expected: float) -> None:
    assert number_in(PANELS[uid, title]["description"], pattern) == pytest.approx(expected)


@pytest.mark.parametrize(("uid", "pattern", "expected"), TITLED)
def test_number_in_a_title_is_that_of_the_query(uid: str, pattern: str, expected: float) -> None:
    (title,) = [title for dashboard, title in PANELS if dashboard == uid and re.fullmatch(pattern, title)]
    assert number_in(title, pattern) == expected


@pytest.mark.parametrize(("uid", "pattern", "expected"), ALERTED)
def test_number_in_an_alert_text_is_that_of_the_rule(uid: str, pattern: str, expected: float) -> None:
    assert number_in(alert_text(uid), pattern) == pytest.approx(expected)


def test_percentile_in_a_description_is_that_of_the_query() -> None:
    panel = PANELS["pipeline-health", "Response time of the API"]
    percent = number_in(panel["description"], PERCENTILE)
    assert f"histogram_quantile({percent / 100}," in panel["targets"][0]["expr"]


def test_compose_keeps_as_much_wal_for_the_slot_as_the_descriptions_say() -> None:
    command = read_yaml(ROOT / "docker-compose.yml")["services"]["postgres"]["command"]
    assert f"max_slot_wal_keep_size={slot_limit_gib():g}GB" in command


@pytest.mark.parametrize(("uid", "title"), PANELS, ids=" ".join)
def test_every_number_in_a_description_is_compared(uid: str, title: str) -> None:
    patterns = [pattern for dashboard, panel, pattern, _ in DESCRIBED if (dashboard, panel) == (uid, title)]
    known = [*patterns, PERCENTILE, *map(re.escape, SET_NOWHERE)]
    assert other_numbers(PANELS[uid, title]["description"], known) == []


@pytest.mark.parametrize("uid", ALERTS)
def test_every_number_in_an_alert_text_is_compared(uid: str) -> None:
    patterns = [pattern for alert, pattern, _ in ALERTED if alert == uid]
    assert other_numbers(alert_text(uid), [*patterns, "`.*?`"]) == []


def other_numbers(text: str, patterns: list[str]) -> list[str]:
    """The numbers outside of what the patterns match."""
    for pattern in patterns:
        text = re.sub(pattern, lambda match: re.sub(r"\d", "", match[0]), text)
    return re.findall(r"\d[\d.]*", text)
