"""Each rule about streams detects a dashboard that breaks it, and the rules know what is pushed."""

import copy
from collections.abc import Callable

import pytest

from grafana.generator.targets import live
from pipeline.live.channels import FIELDS, STREAM
from tests.support.grafana import live_checks
from tests.support.grafana.files import dashboards, panels

VALID = dashboards()["live"]


def panel_of(dashboard: dict, title: str) -> dict:
    return next(panel for panel in panels(dashboard) if panel["title"] == title)


def test_the_rules_know_every_channel_and_its_fields() -> None:
    assert {kind: tuple(sorted(fields)) for kind, fields in FIELDS.items()} == live_checks.FIELDS
    assert f"stream/{STREAM}/" == live_checks.STREAM
    assert live("prices")["channel"] == "stream/crypto/prices"


def test_every_channel_is_shown() -> None:
    shown = {target["channel"].split("/")[-1].split("_")[0] for _, target in live_checks.streams(VALID)}
    assert shown == set(FIELDS)


def add_query(dashboard: dict) -> None:
    panel = panel_of(dashboard, "Price as it comes")
    panel["targets"].append({**panel_of(dashboard, "Price before")["targets"][0], "refId": "B"})


def option(title: str, key: str, value: object) -> Callable[[dict], None]:
    return lambda dashboard: panel_of(dashboard, title)["fieldConfig"]["defaults"].__setitem__(key, value)


def target(title: str, key: str, value: object) -> Callable[[dict], None]:
    return lambda dashboard: panel_of(dashboard, title)["targets"][0].__setitem__(key, value)


def show_all_of_the_candle(dashboard: dict) -> None:
    panel_of(dashboard, "The open candle of this minute")["options"]["reduceOptions"]["fields"] = ""


def rename_a_field(dashboard: dict) -> None:
    panel_of(dashboard, "Bid, ask and spread")["fieldConfig"]["overrides"][0]["matcher"]["options"] = "bids"


def forget_a_title(dashboard: dict) -> None:
    organize = panel_of(dashboard, "Trades as they come")["transformations"][-1]["options"]
    del organize["renameByName"]["quantity"]


def widen(dashboard: dict) -> None:
    panel_of(dashboard, "Trades as they come")["fieldConfig"]["overrides"][0]["properties"][-1]["value"] = 300


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (live_checks.channels, target("Price as it comes", "channel", "stream/crypto/price_${symbol}")),
        (live_checks.channels, target("Price as it comes", "channel", "stream/crypto/mood_${live_name}")),
        (live_checks.channels, target("Price as it comes", "queryType", "randomWalk")),
        (live_checks.channels, target("Price as it comes", "filter", {"fields": ["${symbol}"]})),
        (live_checks.alone, add_query),
        (live_checks.moving, lambda dashboard: dashboard.pop("liveNow")),
        (live_checks.moving, lambda dashboard: dashboard["time"].update({"from": "now-6h"})),
        (live_checks.moving, lambda dashboard: panel_of(dashboard, "Price as it comes").pop("timeFrom")),
        (live_checks.digits, option("Price as it comes", "decimals", 2)),
        (live_checks.digits, option("Tracked prices as they come", "unit", "currencyUSD")),
        (live_checks.values, show_all_of_the_candle),
        (live_checks.names, rename_a_field),
        (live_checks.names, forget_a_title),
        (live_checks.names, widen),
        (live_checks.empty, option("Price as it comes", "noValue", "No data yet")),
        (live_checks.standstill, lambda dashboard: dashboard.update(refresh="")),
        (live_checks.standstill, target("Time since the last frame", "expr", "up")),
    ],
)
def test_violation_is_detected(rule: Callable[[dict], object], change: Callable[[dict], object]) -> None:
    dashboard = copy.deepcopy(VALID)
    assert list(rule(dashboard)) == []
    change(dashboard)
    assert list(rule(dashboard))
