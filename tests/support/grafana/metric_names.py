"""Which metrics an expression asks for, and which there are. PromQL is parsed by a library;
Grafana's own variables are filled in first, since they are no PromQL."""

from collections.abc import Iterable, Iterator
from typing import Any

import promql_parser
from prometheus_client.metrics_core import Metric

# Prometheus makes these itself for every target it scrapes.
OF_PROMETHEUS = {"up"}
SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gauge": ("",),
    "info": ("_info",),
}
RATE_INTERVAL = "$__rate_interval"


def fill_rate_interval(expression: str, seconds: int = 20) -> str:
    """`$__rate_interval` is four scrapes, or more for a long range."""
    return expression.replace(RATE_INTERVAL, f"{seconds}s")


def metrics_in(expression: str) -> set[str]:
    """Names of the metrics that an expression selects. Raises ValueError when it is no PromQL."""
    return {node.name for node in _nodes(promql_parser.parse(fill_rate_interval(expression))) if _selects(node)}


def names_of(families: Iterable[Metric]) -> set[str]:
    """The sample names that these families have, with samples or without."""
    return {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, ("",))}


def _selects(node: Any) -> bool:
    return isinstance(node, promql_parser.VectorSelector)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for part in ("expr", "lhs", "rhs", "param", "vector_selector", "args"):
        found = getattr(node, part, None)
        for child in found if isinstance(found, list) else [found]:
            if child is not None:
                yield from _nodes(child)
