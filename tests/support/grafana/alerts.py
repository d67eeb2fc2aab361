"""Evaluates a provisioned alert rule: applies its threshold to the values of its query, as Grafana
does. Knows the rule's model; the values come from a real Prometheus."""

from collections.abc import Mapping, Sequence
from typing import Any

HOLDS = {"gt": lambda value, limit: value > limit, "lt": lambda value, limit: value < limit}
SIGNS = {"gt": ">", "lt": "<"}


def expression(rule: Mapping[str, Any]) -> str:
    """The PromQL of the rule's query A."""
    return rule["data"][0]["model"]["expr"].strip()


def threshold(rule: Mapping[str, Any]) -> tuple[str, float]:
    """The comparison in the rule's expression B, e.g. ("gt", 0.9)."""
    evaluator = rule["data"][1]["model"]["conditions"][0]["evaluator"]
    return evaluator["type"], evaluator["params"][0]


def holds(rule: Mapping[str, Any], values: Sequence[float]) -> bool:
    """Whether the condition holds for these values of A. Without values, the rule's noDataState
    decides."""
    if not values:
        return rule["noDataState"] == "Alerting"
    kind, limit = threshold(rule)
    return any(HOLDS[kind](value, limit) for value in values)


def as_prometheus_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The same alert for promtool, which can simulate time: A, B, `for`, and missing data if the
    rule alerts on that."""
    kind, limit = threshold(rule)
    condition = f"({expression(rule)}) {SIGNS[kind]} {limit}"
    if rule["noDataState"] == "Alerting":
        condition += f" or absent({expression(rule)})"
    return {"alert": rule["uid"], "expr": condition, "for": rule["for"]}
