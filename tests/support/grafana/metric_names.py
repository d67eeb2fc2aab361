"""Which metrics an expression selects, and which names a metric has. A library parses the PromQL;
Grafana's variables are replaced first, because they are not PromQL."""

from collections.abc import Iterable, Iterator
from typing import Any

import promql_parser
from prometheus_client.metrics_core import Metric

# Prometheus adds these itself for every target it scrapes.
PROMETHEUS_OWN = {"up"}
SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gauge": ("",),
    "info": ("_info",),
}
RATE_INTERVAL = "$__rate_interval"


def fill_rate_interval(expression: str, seconds: int = 20) -> str:
    """Replaces `$__rate_interval`, which is four scrape intervals, or more for a long range."""
    return expression.replace(RATE_INTERVAL, f"{seconds}s")


def metrics_in(expression: str) -> set[str]:
    """Names of the metrics that an expression selects. Raises ValueError if it is not PromQL."""
    return {node.name for node in _nodes(promql_parser.parse(fill_rate_interval(expression))) if _selects(node)}


def names_of(families: Iterable[Metric]) -> set[str]:
    """All sample names of these families, whether they have samples yet or not."""
    return {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, ("",))}


def _selects(node: Any) -> bool:
    return isinstance(node, promql_parser.VectorSelector)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for part in ("expr", "lhs", "rhs", "param", "vector_selector", "args"):
        children = getattr(node, part, None)
        for child in children if isinstance(children, list) else [children]:
            if child is not None:
                yield from _nodes(child)
