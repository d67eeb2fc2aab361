"""The provisioned alarms: complete, about metrics that exist, beside a panel that shows the
same."""

import re

import pytest

from tests.support.grafana.alerts import as_prometheus_rule, expression, holds, threshold
from tests.support.grafana.exported import exported
from tests.support.grafana.files import PROVISIONING, ROOT, alert_rules, dashboards, datasources, panels, read_yaml
from tests.support.grafana.metric_names import metrics_in

RULES = {rule["uid"]: rule for rule in alert_rules()}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def test_alarms_are_these() -> None:
    assert set(RULES) == {
        "stale-table",
        "consumer-lag-growing",
        "dead-letters",
        "connector-not-running",
        "capture-silent",
        "capture-problem",
        "records-skipped",
        "topic-deleted",
        "slot-retains-wal",
        "exchange-weight",
        "api-errors",
    }
    assert len(alert_rules()) == len(RULES)


@every_rule
def test_rule_says_all_that_grafana_asks_for(rule: dict) -> None:
    ask, compare = rule["data"]
    assert ask["datasourceUid"] in datasources()
    assert (rule["condition"], compare["model"]["expression"]) == (compare["refId"], ask["refId"])
    assert [each["refId"] for each in rule["data"]] == [each["model"]["refId"] for each in rule["data"]]
    assert ask["model"]["instant"], "a threshold takes numbers, no series"
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert {rule["noDataState"], rule["execErrState"]} <= {"Alerting", "OK"}


@every_rule
def test_rule_asks_for_metrics_that_exist(rule: dict) -> None:
    assert metrics_in(expression(rule)) - exported() == set()


@every_rule
def test_rule_leads_to_a_panel_with_the_same_threshold(rule: dict) -> None:
    note = rule["annotations"]
    panel = next(p for p in panels(dashboards()[note["__dashboardUid__"]]) if p["id"] == int(note["__panelId__"]))
    words = {
        "stale-table": "fresh",
        "consumer-lag-growing": "lag",
        "dead-letters": "Dead letters",
        "connector-not-running": "Debezium",
        "capture-silent": "Heartbeat",
        "capture-problem": "Debezium",
        "records-skipped": "Debezium",
        "topic-deleted": "Debezium",
        "slot-retains-wal": "WAL",
        "exchange-weight": "Weight",
        "api-errors": "errors",
    }
    assert words[rule["uid"]] in panel["title"]
    kind, limit = threshold(rule)
    if kind == "gt" and limit > 0:
        assert limit in [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def test_no_dollar_is_taken_for_a_setting() -> None:
    """Grafana fills environment variables into the file before it reads it."""
    text = (PROVISIONING / "alerting" / "rules.yaml").read_text(encoding="utf-8")
    assert re.findall(r"(?<!\$)\$(?!\$)", text) == []


def test_nobody_is_told_unless_an_address_is_set() -> None:
    assert set(read_yaml(ROOT / "grafana" / "notify.yaml")) == {"apiVersion", "resetPolicies"}
    told = read_yaml(ROOT / "grafana" / "notify_webhook.yaml")
    (point,) = told["contactPoints"]
    assert point["receivers"][0]["settings"]["url"] == "${ALERT_WEBHOOK_URL}"
    assert told["policies"][0]["receiver"] == point["name"]


@pytest.mark.parametrize(
    ("values", "expected"), [([0.1], False), ([0.91], True), ([0.1, 0.95], True), ([0.9], False), ([], True)]
)
def test_condition_holds_for_any_value_beyond_the_limit_and_for_none(values: list[float], expected: bool) -> None:
    assert holds(RULES["exchange-weight"], values) is expected


def test_no_dead_letters_to_report_is_no_alarm() -> None:
    assert holds(RULES["dead-letters"], []) is False


def test_rule_for_promtool_alarms_without_data_only_where_grafana_does() -> None:
    assert "absent(" in as_prometheus_rule(RULES["connector-not-running"])["expr"]
    assert "absent(" not in as_prometheus_rule(RULES["dead-letters"])["expr"]
