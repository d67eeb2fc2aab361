"""Variables and macros filled in as Grafana and the plugin do it. Knows the documented ways of
writing them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
# What Grafana rounds an automatic interval to: (below this, that); past the last one a day.
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


def span_ms(text: str) -> int:
    return int(text[:-1]) * UNITS_MS[text[-1]]


def span_text(ms: int) -> str:
    return next(f"{ms // size}{unit}" for unit, size in reversed(UNITS_MS.items()) if ms % size == 0 and ms >= size)


@dataclass(frozen=True)
class View:
    """A dashboard as it is looked at: a range, and a value for each variable."""

    from_ms: int
    to_ms: int
    values: Mapping[str, str] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        """The text with variables and time macros filled in. Raises KeyError for one that is not
        there."""
        known = {**self.values, "__timeFrom": str(self.from_ms), "__timeTo": str(self.to_ms)}
        return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda found: known[found[1] or found[2]], text)


def view(dashboard: Mapping[str, Any], now_ms: int) -> View:
    """The default range of a dashboard, without variables yet."""
    return View(now_ms - span_ms(dashboard["time"]["from"].removeprefix("now-")), now_ms)


def automatic(variable: Mapping[str, Any], range_ms: int) -> str:
    """What `auto` of an interval variable means for a range."""
    raw = max(range_ms / variable["auto_count"], span_ms(variable["auto_min"]))
    return span_text(next((size for below, size in ROUNDED_MS if raw < below), UNITS_MS["d"]))


def chosen(variable: Mapping[str, Any], options: list[str], range_ms: int) -> str:
    """What a variable is when the dashboard is opened; `options` are what its query found."""
    current = variable["current"]["value"]
    if variable["type"] == "interval":
        return automatic(variable, range_ms) if current.startswith("$__auto") else current
    if options and current not in options:
        return options[0]
    return current
