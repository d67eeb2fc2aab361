"""The options that a field of a panel ends up with: the panel's defaults and the overrides that
match its name. Knows Grafana's matchers as far as the dashboards use them."""

import re
from collections.abc import Iterator
from typing import Any

TIME_TYPES = {"timestamp_epoch"}


def overrides_of(panel: dict, name: str) -> dict[str, Any]:
    """Option id to value, of all overrides that match a field."""
    found: dict[str, Any] = {}
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        if matches(override["matcher"], name):
            found |= {each["id"]: each["value"] for each in override["properties"]}
    return found


def matches(matcher: dict, name: str) -> bool:
    if matcher["id"] == "byRegexp":
        return re.search(matcher["options"].strip("/"), name) is not None
    return matcher["options"] == name


def option(panel: dict, name: str, option_id: str) -> Any:
    """The value of an option such as `unit` or `custom.minWidth` for a field; None if not set."""
    overridden = overrides_of(panel, name)
    if option_id in overridden:
        return overridden[option_id]
    value: Any = panel.get("fieldConfig", {}).get("defaults", {})
    for part in option_id.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def columns(panel: dict) -> Iterator[dict]:
    """The columns of all queries of a panel to the API."""
    for target in panel.get("targets", []):
        yield from target.get("columns", [])


def shown_columns(panel: dict) -> list[str]:
    """The names of the fields that a panel shows: of a table without those that a transformation
    hides, and with the course that a time series becomes."""
    hidden: set[str] = set()
    series: set[str] = set()
    for transformation in panel.get("transformations", []):
        hidden |= set(transformation["options"].get("excludeByName", {}))
        if transformation["id"] == "timeSeriesTable":
            series = set(transformation["options"])
    names: dict[str, None] = {}
    for target in panel.get("targets", []):
        if target["refId"] in series:
            names[f"Trend #{target['refId']}"] = None
        else:
            names |= dict.fromkeys(column["text"] for column in target.get("columns", []))
    return [name for name in names if name not in hidden]
