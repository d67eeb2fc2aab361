"""Each rule about what is shown, how it is laid out and in which colours detects a dashboard that
breaks it. The broken dashboards are ours with one change: what a real Grafana was seen to do
wrong."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.grafana import colour_checks, display_checks, layout_checks
from tests.support.grafana.colours import contrast, contrast_as_text, contrast_as_tile, distance
from tests.support.grafana.files import dashboards, panels

VALID = dashboards()
Change = Callable[[dict], Any]


def panel_of(dashboard: dict, title: str) -> dict:
    return next(panel for panel in panels(dashboard) if panel["title"] == title)


def defaults(panel: dict) -> dict:
    return panel["fieldConfig"]["defaults"]


def drop_option(panel: dict, name: str, option: str) -> None:
    """Without the option in the overrides of this field."""
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == name:
            override["properties"] = [each for each in override["properties"] if each["id"] != option]


def set_option(panel: dict, name: str, option: str, value: object) -> None:
    drop_option(panel, name, option)
    set_options(panel, name, {option: value})


def set_options(panel: dict, name: str, options: dict[str, object]) -> None:
    properties = [{"id": option, "value": value} for option, value in options.items()]
    panel["fieldConfig"]["overrides"].append({"matcher": {"id": "byName", "options": name}, "properties": properties})


def rename(panel: dict, old: str, new: str) -> None:
    next(column for column in panel["targets"][0]["columns"] if column["text"] == old)["text"] = new


COLOUR_OF_BOUGHT = {"mode": "fixed", "fixedColor": "#E69F05"}
ORANGE_TEXT = {
    "thresholds": {"steps": [{"color": "#E69F00", "value": None}]},
    "custom.cellOptions": {"type": "color-text"},
}
VERMILION_CELL = {
    "mappings": [{"type": "value", "options": {"true": {"text": "LATE", "color": "#D55E00"}}}],
    "custom.cellOptions": {"type": "color-background"},
}
BROKEN: list[tuple[Callable, str, str, Change, str]] = [
    (
        display_checks.decimals,
        "symbol",
        "Polled price",
        lambda panel: defaults(panel).pop("decimals"),
        "has no decimals",
    ),
    (
        display_checks.decimals,
        "symbol",
        "Polled price",
        lambda panel: defaults(panel).update(decimals=2),
        "would be rounded",
    ),
    (
        display_checks.decimals,
        "symbol",
        "$symbol candles of $interval",
        lambda panel: set_option(panel, "MA 7", "unit", "none"),
        "MA 7 is a price",
    ),
    (
        display_checks.decimals,
        "symbol",
        "Volume bought and sold",
        lambda panel: defaults(panel).pop("decimals"),
        "Bought has no decimals",
    ),
    (
        display_checks.decimals,
        "cassandra-direct",
        "Polled price",
        lambda panel: defaults(panel).pop("decimals"),
        "no decimals",
    ),
    (
        display_checks.units,
        "market-overview",
        "Volume in 24 h",
        lambda panel: defaults(panel).update(unit="short"),
        "short",
    ),
    (
        display_checks.units,
        "market-overview",
        "Watch list",
        lambda panel: set_option(panel, "3 Volume", "unit", "short"),
        "short",
    ),
    (
        display_checks.bars_from_zero,
        "symbol",
        "Volume bought and sold",
        lambda panel: defaults(panel).pop("min"),
        "start at 0",
    ),
    (
        display_checks.bars_from_zero,
        "market-overview",
        "Ten most traded",
        lambda panel: defaults(panel).pop("min"),
        "start at 0",
    ),
    (
        display_checks.order,
        "market-overview",
        "How many symbols rise or fall",
        lambda panel: rename(panel, "1 Rising", "Rising"),
        "would stand in the order",
    ),
    (
        display_checks.bids_step_down,
        "symbol",
        "Order book depth",
        lambda panel: drop_option(panel, "1 Bids", "custom.lineInterpolation"),
        "one step too deep",
    ),
    (
        display_checks.empty_ranges,
        "symbol",
        "Polled price",
        lambda panel: defaults(panel).update(noValue="No data yet"),
        "why it is empty",
    ),
    (
        display_checks.empty_ranges,
        "pipeline-health",
        "Consumer lag",
        lambda panel: defaults(panel).update(noValue="No data yet"),
        "why it is empty",
    ),
    (
        display_checks.counts_in_words,
        "pipeline-health",
        "Dead letters in 15 minutes",
        lambda panel: defaults(panel).update(mappings=[]),
        "looks empty",
    ),
    (
        display_checks.counts_in_words,
        "pipeline-health",
        "Retried writes per minute",
        lambda panel: panel.update(type="timeseries"),
        "looks empty",
    ),
    (
        display_checks.no_own_scrapes,
        "pipeline-health",
        "Requests to the API",
        lambda panel: panel["targets"][0].update(expr="sum(rate(api_requests_total[1m]))"),
        "own requests",
    ),
    (
        display_checks.candles_in_order,
        "symbol",
        "$symbol candles of $interval",
        lambda panel: panel["options"]["tooltip"].update(sort="desc"),
        "sorted by value",
    ),
    (
        display_checks.names_the_source,
        "start-here",
        "Data source",
        lambda panel: panel["targets"].clear(),
        "where the data come from",
    ),
    (
        layout_checks.table_width,
        "symbol",
        "Latest trades",
        lambda panel: defaults(panel)["custom"].pop("minWidth"),
        "a phone has 380",
    ),
    (
        layout_checks.table_width,
        "market-overview",
        "Biggest moves up",
        lambda panel: panel["gridPos"].update(w=6),
        "a laptop has",
    ),
    (
        layout_checks.table_width,
        "market-overview",
        "Watch list",
        lambda panel: set_option(panel, "Symbol", "custom.width", 200),
        "a phone has 380",
    ),
    (
        layout_checks.table_height,
        "market-overview",
        "Biggest moves down",
        lambda panel: panel["gridPos"].update(h=10),
        "10 rows do not fit",
    ),
    (
        layout_checks.stat_values,
        "symbol",
        "Traded in 24 h",
        lambda panel: panel["targets"][0]["columns"].append({"selector": "high_price", "text": "4", "type": "number"}),
        "4 values",
    ),
    (
        layout_checks.text_width,
        "start-here",
        "How data flows",
        lambda panel: panel["options"].update(
            content="```\n" + "exchange ─► producer ─► PostgreSQL ─► Debezium" + "\n```"
        ),
        "wraps on a phone",
    ),
    (
        layout_checks.titles,
        "pipeline-health",
        "Used share of weight limit",
        lambda panel: panel.update(title="Used share of the exchange's weight limit"),
        "is cut",
    ),
    (
        colour_checks.series,
        "symbol",
        "Volume bought and sold",
        lambda panel: set_option(panel, "Bought", "color", COLOUR_OF_BOUGHT),
        "look the same",
    ),
    (
        colour_checks.series,
        "pipeline-health",
        "Consumer lag",
        lambda panel: defaults(panel).update(color={"mode": "palette-classic-by-name"}),
        "the same colour",
    ),
    (
        colour_checks.series,
        "pipeline-health",
        "Request weight per minute",
        lambda panel: (
            panel["fieldConfig"]["overrides"].clear(),
            defaults(panel).update(color={"mode": "fixed", "fixedColor": "#0072B2"}),
        ),
        "used, budget, limit have one colour",
    ),
    (
        colour_checks.contrast,
        "symbol",
        "$symbol",
        lambda panel: defaults(panel)["color"].update(fixedColor="#56B4E9"),
        "text in #56B4E9 has a contrast of 2.",
    ),
    (
        colour_checks.contrast,
        "market-overview",
        "Biggest moves up",
        lambda panel: set_options(panel, "Change", ORANGE_TEXT),
        "text in #E69F00 has a contrast of 2.",
    ),
    (
        colour_checks.contrast,
        "pipeline-health",
        "Heartbeat",
        lambda panel: defaults(panel)["thresholds"]["steps"][0].update(color="#009E73"),
        "text on #009E73 has a contrast of 3.",
    ),
    (
        colour_checks.contrast,
        "pipeline-health",
        "Is every table fresh?",
        lambda panel: set_options(panel, "State", VERMILION_CELL),
        "text on #D55E00 has a contrast of 3.",
    ),
    (
        colour_checks.contrast,
        "symbol",
        "Range in 24 h",
        lambda panel: defaults(panel)["color"].update(fixedColor="dark-lime"),
        "not known",
    ),
]


@pytest.mark.parametrize(("rule", "uid", "title", "change", "complaint"), BROKEN)
def test_broken_dashboard_is_detected(rule: Callable, uid: str, title: str, change: Change, complaint: str) -> None:
    broken = copy.deepcopy(VALID[uid])
    panel = panel_of(broken, title)
    change(panel)
    found = list(rule(broken))
    assert found
    assert any(complaint in each for each in found)


def test_every_rule_is_shown_to_detect_something() -> None:
    rules = {colour_checks.contrast, colour_checks.series, *display_checks.RULES, *layout_checks.RULES}
    assert {rule for rule, *_ in BROKEN} == rules


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast_as_text("#808080") < 4.5, "no colour can be read on dark and on white"
    assert contrast_as_text("blue") >= 4.5
    assert contrast_as_tile("#F0E442") > 10, "Grafana writes black on a bright tile"


def test_named_colours_are_compared_in_the_theme_in_which_they_are_closest() -> None:
    assert distance("blue", "#3274D9") == 0
    assert distance("#56B4E9", "#E69F00") > 200
