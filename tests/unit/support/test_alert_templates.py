"""Templates of alert rules are accepted as far as Grafana would expand them."""

import pytest

from tests.support.grafana.alert_templates import BadTemplate, expand, query_labels

LABELS = {"table": "klines"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no template", "no template"),
        ("rows of {{ .Labels.table }}", "rows of klines"),
        ("{{.Labels.table}} {{ $labels.table }}", "klines klines"),
        ("{{ .Value }} and {{ $value }}", "3 and 3"),
    ],
)
def test_labels_and_values_are_expanded(text: str, expected: str) -> None:
    assert expand(text, LABELS, "3") == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ $$labels.table }}",  # Go: bad character '$'
        "{{ .Labels.topic }}",
        "{{ .labels.table }}",
        "{{ .Labels.table",
        ".Labels.table }}",
        "{{ unknown .Value }}",
        "{{ }}",
    ],
)
def test_what_grafana_cannot_expand_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        expand(text, LABELS, "3")


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("max by (table) (age)", {"table"}),
        ("sum by (topic, reason) (rate(x[5m]))", {"topic", "reason"}),
        ("max(age)", set()),
    ],
)
def test_labels_of_a_query_are_those_it_aggregates_by(expression: str, labels: set[str]) -> None:
    assert query_labels(expression) == labels
