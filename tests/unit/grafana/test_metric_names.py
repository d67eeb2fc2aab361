"""Which metrics an expression selects."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tests.support.grafana.metric_names import metrics_in, names_of


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up", {"up"}),
        ("sum by (a) (rate(x_total{b='c'}[$__rate_interval]))", {"x_total"}),
        ("histogram_quantile(0.9, sum by (le) (rate(h_bucket[1m]))) or -g offset 5m", {"h_bucket", "g"}),
        ("max_over_time((a:b:c)[5m:15s]) unless on (x) d", {"a:b:c", "d"}),
        ("vector(0)", set()),
    ],
)
def test_names_are_found_anywhere_in_the_expression(expression: str, names: set[str]) -> None:
    assert metrics_in(expression) == names


def test_invalid_promql_is_rejected() -> None:
    with pytest.raises(ValueError):
        metrics_in("sum(")


def test_every_sample_name_of_a_metric_counts_as_exported() -> None:
    registry = CollectorRegistry()
    Counter("c_total", "c", ["label"], registry=registry)
    Gauge("g", "g", ["label"], registry=registry)
    Histogram("h", "h", ["label"], registry=registry)
    assert {"c_total", "g", "h_bucket", "h_count", "h_sum"} <= names_of(registry.collect())
