"""Fills in variables and macros as Grafana and the plugin do. Knows their documented notations."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
# How Grafana rounds an automatic interval: (below this, to that); above the last one, to a day.
ROUNDED_MS = (
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
)


# `${name:format}`; without a format the value as it is.
FORMATS: Mapping[str | None, Callable[[str], str]] = {
    None: str,
    "percentencode": lambda value: quote(value, safe=""),
    "sqlstring": lambda value: "'{}'".format(value.replace("'", "''")),
}


def span_ms(text: str) -> int:
    return int(text[:-1]) * UNITS_MS[text[-1]]


def span_text(ms: int) -> str:
    return next(f"{ms // size}{unit}" for unit, size in reversed(UNITS_MS.items()) if ms % size == 0 and ms >= size)


@dataclass(frozen=True)
class View:
    """A dashboard as a user sees it: a time range, and a value per variable."""

    from_ms: int
    to_ms: int
    values: Mapping[str, str] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        """The text with variables and time macros filled in. Raises KeyError for an unknown
        variable or format."""
        known = {**self.values, "__timeFrom": str(self.from_ms), "__timeTo": str(self.to_ms)}
        return re.sub(
            r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)", lambda match: FORMATS[match[2]](known[match[1] or match[3]]), text
        )


def view(dashboard: Mapping[str, Any], now_ms: int) -> View:
    """The default time range of a dashboard, without values of variables."""
    return View(now_ms - span_ms(dashboard["time"]["from"].removeprefix("now-")), now_ms)


def automatic(variable: Mapping[str, Any], range_ms: int) -> str:
    """The interval that `auto` stands for in a time range of this length."""
    raw = max(range_ms / variable["auto_count"], span_ms(variable["auto_min"]))
    return span_text(next((size for below, size in ROUNDED_MS if raw < below), UNITS_MS["d"]))


def chosen(variable: Mapping[str, Any], options: list[str], range_ms: int) -> str:
    """The value of a variable when the dashboard is opened. `options`: the results of its query."""
    current = variable["current"]["value"]
    if variable["type"] == "interval":
        return automatic(variable, range_ms) if current.startswith("$__auto") else current
    if options and current not in options:
        return options[0]
    return current
