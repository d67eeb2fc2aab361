"""The provisioned alert rules: complete, based on metrics that exist, and linked to a panel with
the same threshold."""

import re

import pytest

from tests.support.grafana.alert_templates import expand, query_labels
from tests.support.grafana.alerts import as_prometheus_rule, expression, holds, threshold
from tests.support.grafana.exported import exported
from tests.support.grafana.files import PROVISIONING, ROOT, alert_rules, dashboards, datasources, panels, read_yaml
from tests.support.grafana.metric_names import metrics_in

RULES = {rule["uid"]: rule for rule in alert_rules()}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def test_the_alerts_are_these() -> None:
    assert set(RULES) == {
        "stale-table",
        "consumer-lag-growing",
        "dead-letters",
        "records-lost",
        "connector-not-running",
        "capture-silent",
        "capture-problem",
        "records-skipped",
        "topic-deleted",
        "slot-retains-wal",
        "exchange-weight",
        "redis-not-current",
        "api-errors",
        "rows-differ",
        "live-not-connected",
    }
    assert len(alert_rules()) == len(RULES)


@every_rule
def test_rule_has_all_that_grafana_requires(rule: dict) -> None:
    query, comparison = rule["data"]
    assert query["datasourceUid"] in datasources()
    assert (rule["condition"], comparison["model"]["expression"]) == (comparison["refId"], query["refId"])
    assert [each["refId"] for each in rule["data"]] == [each["model"]["refId"] for each in rule["data"]]
    assert query["model"]["instant"], "a threshold takes numbers, not series"
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert {rule["noDataState"], rule["execErrState"]} <= {"Alerting", "OK"}


@every_rule
def test_grafana_expands_every_template_of_the_rule(rule: dict) -> None:
    """With every label that the rule's query returns, and no other."""
    labels = {name: f"a {name}" for name in query_labels(expression(rule))}
    for text in (*rule["annotations"].values(), *rule["labels"].values()):
        expanded = expand(text, labels, "1")
        assert "{{" not in expanded
        assert "$" not in expanded, "Grafana replaces $ in labels before it reads the rule, in annotations it does not"


def test_summary_of_a_stale_table_names_the_table() -> None:
    summary = RULES["stale-table"]["annotations"]["summary"]
    assert expand(summary, {"table": "klines"}, "1") == "No new rows in klines"


@every_rule
def test_rule_queries_metrics_that_exist(rule: dict) -> None:
    assert metrics_in(expression(rule)) - exported() == set()


@every_rule
def test_rule_leads_to_a_panel_with_the_same_threshold(rule: dict) -> None:
    annotations = rule["annotations"]
    panel = next(
        p for p in panels(dashboards()[annotations["__dashboardUid__"]]) if p["id"] == int(annotations["__panelId__"])
    )
    words = {
        "stale-table": "fresh",
        "consumer-lag-growing": "lag",
        "dead-letters": "Dead letters",
        "records-lost": "lag",
        "connector-not-running": "Debezium",
        "capture-silent": "Heartbeat",
        "capture-problem": "Debezium",
        "records-skipped": "Debezium",
        "topic-deleted": "Debezium",
        "slot-retains-wal": "WAL",
        "exchange-weight": "weight",
        "redis-not-current": "Redis",
        "api-errors": "errors",
        "rows-differ": "Rows that differ",
        "live-not-connected": "Live",
    }
    assert words[rule["uid"]] in panel["title"]
    kind, limit = threshold(rule)
    if kind == "gt" and limit > 0:
        assert limit in [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def test_no_dollar_is_mistaken_for_an_environment_variable() -> None:
    """Grafana replaces environment variables in the file before it parses it."""
    text = (PROVISIONING / "alerting" / "rules.yaml").read_text(encoding="utf-8")
    assert re.findall(r"(?<!\$)\$(?!\$)", text) == []


def test_notifications_are_off_unless_an_address_is_set() -> None:
    assert set(read_yaml(ROOT / "grafana" / "notify.yaml")) == {"apiVersion", "resetPolicies"}
    webhook = read_yaml(ROOT / "grafana" / "notify_webhook.yaml")
    (point,) = webhook["contactPoints"]
    assert point["receivers"][0]["settings"]["url"] == "${ALERT_WEBHOOK_URL}"
    assert webhook["policies"][0]["receiver"] == point["name"]


@pytest.mark.parametrize(
    ("values", "expected"), [([0.1], False), ([0.91], True), ([0.1, 0.95], True), ([0.9], False), ([], True)]
)
def test_condition_holds_for_any_value_beyond_the_limit_and_without_values(values: list[float], expected: bool) -> None:
    assert holds(RULES["exchange-weight"], values) is expected


@pytest.mark.parametrize("uid", ["dead-letters", "records-lost"])
def test_absence_of_dead_letters_and_of_losses_does_not_fire(uid: str) -> None:
    assert holds(RULES[uid], []) is False


def test_rule_for_promtool_fires_without_data_only_where_grafana_does() -> None:
    assert "absent(" in as_prometheus_rule(RULES["connector-not-running"])["expr"]
    assert "absent(" not in as_prometheus_rule(RULES["dead-letters"])["expr"]
