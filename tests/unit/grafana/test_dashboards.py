"""Our dashboards follow every rule of tests/support/grafana/checks.py."""

from collections.abc import Callable

import pytest

from pipeline.api.route_specs import ROUTES
from tests.support.grafana import checks
from tests.support.grafana.exported import exported
from tests.support.grafana.files import alert_rules, dashboards, datasources, folder_names, recording_rules
from tests.support.grafana.metric_names import metrics_in

DASHBOARDS = dashboards()
every_dashboard = pytest.mark.parametrize("uid", DASHBOARDS)


def test_the_dashboards_are_these() -> None:
    assert set(DASHBOARDS) == {
        "start-here",
        "market-overview",
        "symbol",
        "live",
        "forecast",
        "pipeline-health",
        "cassandra-direct",
    }


@every_dashboard
@pytest.mark.parametrize("check", checks.SELF_CONTAINED, ids=lambda check: check.__name__)
def test_dashboard_follows_the_rule(uid: str, check: Callable[[dict], checks.Complaints]) -> None:
    assert list(check(DASHBOARDS[uid])) == []


@every_dashboard
def test_every_data_source_is_provisioned(uid: str) -> None:
    assert list(checks.datasources(DASHBOARDS[uid], datasources())) == []


@every_dashboard
def test_the_api_returns_every_column_and_accepts_every_parameter(uid: str) -> None:
    columns = {path: set(route.all_columns) for path, route in ROUTES.items()}
    parameters = {path: {each.name for each in route.parameters} for path, route in ROUTES.items()}
    assert list(checks.columns(DASHBOARDS[uid], columns)) == []
    assert list(checks.parameters(DASHBOARDS[uid], parameters)) == []


@every_dashboard
def test_every_metric_is_exported(uid: str) -> None:
    assert list(checks.metrics(DASHBOARDS[uid], exported())) == []


@every_dashboard
def test_links_lead_to_dashboards_and_pass_on_the_range(uid: str) -> None:
    assert list(checks.links(DASHBOARDS[uid], DASHBOARDS)) == []


def test_names_of_folders_are_told_apart() -> None:
    assert folder_names() == {"Crypto", "Alarms"}
    assert list(checks.folders(folder_names())) == []


def test_every_dashboard_links_to_all_others() -> None:
    main = set(DASHBOARDS) - {"cassandra-direct"}
    for uid in main:
        assert {link["url"] for link in DASHBOARDS[uid]["links"]} == {f"/d/{other}" for other in main - {uid}}


@pytest.mark.parametrize("record", recording_rules())
def test_recorded_metric_is_based_on_metrics_that_exist_and_is_used(record: str) -> None:
    rules = recording_rules()
    for expression in rules[record]:
        assert metrics_in(expression) - exported() == set()
    queries = [query for dashboard in DASHBOARDS.values() for _, query in checks.expressions(dashboard)]
    queries += [rule["data"][0]["model"]["expr"] for rule in alert_rules()]
    queries += [query for name, others in rules.items() if name != record for query in others]
    assert any(record in metrics_in(query) for query in queries)
