"""Each rule detects a dashboard that breaks it. The broken dashboards are ours with one change."""

import copy

import pytest

from tests.support.grafana import checks
from tests.support.grafana.files import dashboards, panels

VALID = dashboards()
COLUMNS = {"/klines": {"open_time", "close_price"}}


@pytest.fixture
def overview() -> dict:
    return copy.deepcopy(VALID["market-overview"])


def first_query(dashboard: dict, route: str) -> dict:
    """The first query of a dashboard that requests this route."""
    return next(query for _, query in checks.infinity_targets(dashboard) if query["url"] == route)


@pytest.mark.parametrize(
    ("key", "value"), [("schemaVersion", 41), ("uid", ""), ("id", 7), ("__inputs", [{"name": "DS_API"}])]
)
def test_header_that_another_grafana_would_reject_is_detected(overview: dict, key: str, value: object) -> None:
    overview[key] = value
    assert len(list(checks.header(overview))) == 1


@pytest.mark.parametrize("key", ["title", "description"])
def test_panel_without_title_or_description_is_detected(overview: dict, key: str) -> None:
    overview["panels"][0][key] = ""
    assert any(key in complaint for complaint in checks.labels(overview))


@pytest.mark.parametrize("key", ["unit", "noValue"])
def test_panel_without_unit_or_text_for_no_data_is_detected(overview: dict, key: str) -> None:
    del overview["panels"][0]["fieldConfig"]["defaults"][key]
    assert len(list(checks.labels(overview))) == 1


def test_misspelt_field_option_is_detected(overview: dict) -> None:
    overview["panels"][0]["fieldConfig"]["defaults"]["colour"] = "red"
    assert list(checks.field_options(overview)) == ["Data source: field option colour"]


def test_panel_inside_a_collapsed_row_is_checked(overview: dict) -> None:
    overview["panels"][0]["panels"] = [{**overview["panels"][1], "id": 99, "title": ""}]
    assert any("no title" in complaint for complaint in checks.labels(overview))


@pytest.mark.parametrize("number", [None, 2])
def test_panel_without_a_unique_id_is_detected(overview: dict, number: int | None) -> None:
    overview["panels"][0]["id"] = number
    assert len(list(checks.ids(overview))) == 1


def test_two_targets_with_the_same_letter_are_detected(overview: dict) -> None:
    overview["panels"][0]["targets"] *= 2
    assert len(list(checks.ids(overview))) == 1


def test_overlap_is_detected(overview: dict) -> None:
    overview["panels"][0]["gridPos"]["w"] += 1
    assert list(checks.positions(overview)) == ["Volume in 24 h: overlaps Data source"]


def test_panel_beyond_the_right_edge_is_detected(overview: dict) -> None:
    overview["panels"][3]["gridPos"]["w"] += 1
    assert any("beyond column" in complaint for complaint in checks.positions(overview))


@pytest.mark.parametrize("text", ["http://api:5000/klines", "127.0.0.1", "see localhost", "api:5000"])
def test_host_is_detected(overview: dict, text: str) -> None:
    overview["panels"][0]["description"] += text
    assert list(checks.hosts(overview))


@pytest.mark.parametrize("where", ["panel", "target", "variable"])
def test_unknown_data_source_is_detected(overview: dict, where: str) -> None:
    places = {
        "panel": overview["panels"][0],
        "target": overview["panels"][0]["targets"][0],
        "variable": overview["templating"]["list"][0],
    }
    known = {"market-api": {"type": checks.INFINITY}}
    places[where]["datasource"] = {"type": checks.INFINITY, "uid": "P2FAD"}
    assert len(list(checks.datasources(overview, known))) == 1
    places[where]["datasource"] = {"type": checks.PROMETHEUS, "uid": "market-api"}
    assert len(list(checks.datasources(overview, known))) == 1


@pytest.mark.parametrize("parser", [None, "simple", "uql"])
def test_target_that_the_browser_would_parse_is_detected(overview: dict, parser: str | None) -> None:
    overview["panels"][0]["targets"][0]["parser"] = parser
    assert len(list(checks.parser(overview))) == 1


def test_variable_that_the_browser_would_parse_is_detected(overview: dict) -> None:
    del overview["templating"]["list"][0]["query"]["infinityQuery"]["parser"]
    assert len(list(checks.parser(overview))) == 1


def test_column_that_the_api_does_not_return_is_detected(overview: dict) -> None:
    first_query(overview, "/klines")["columns"][1]["selector"] = "close"
    assert any("/klines returns no close" in complaint for complaint in checks.columns(overview, COLUMNS))


def test_route_that_the_api_does_not_have_is_detected(overview: dict) -> None:
    first_query(overview, "/klines")["url"] = "/candles"
    assert any("no route /candles" in complaint for complaint in checks.columns(overview, COLUMNS))


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ([], "no columns"),
        ([{"selector": "open_time", "text": "a", "type": "timestamp"}], "of type timestamp"),
        (
            [{"selector": name, "text": "a", "type": "number"} for name in COLUMNS["/klines"]],
            "two columns with the same title",
        ),
    ],
)
def test_columns_that_do_not_make_a_valid_frame_are_detected(overview: dict, broken: list, complaint: str) -> None:
    first_query(overview, "/klines")["columns"] = broken
    assert any(complaint in each for each in checks.columns(overview, COLUMNS))


def test_parameter_that_the_api_does_not_accept_is_detected(overview: dict) -> None:
    first_query(overview, "/klines")["url_options"]["params"].append({"key": "since", "value": "1"})
    accepted = {"/klines": {"symbol", "interval", "from", "to", "limit"}}
    assert any("does not accept since" in complaint for complaint in checks.parameters(overview, accepted))


@pytest.mark.parametrize(
    ("expression", "complaint"), [("rate(nothing_total[1m])", "nothing exports nothing_total"), ("(", "")]
)
def test_metric_that_nothing_exports_and_bad_promql_are_detected(expression: str, complaint: str) -> None:
    health = copy.deepcopy(VALID["pipeline-health"])
    expected = set(checks.metrics(health, {"up"}))
    next(panels(health))["targets"][0]["expr"] = expression
    new = set(checks.metrics(health, {"up"})) - expected
    assert len(new) == 1
    assert complaint in new.pop()


def test_variable_that_is_not_defined_is_detected(overview: dict) -> None:
    overview["panels"][0]["title"] = "${coin}"
    assert list(checks.variables(overview)) == ["no variable coin"]


@pytest.mark.parametrize("key", ["keepTime", "includeVars"])
def test_link_that_does_not_pass_on_range_or_variables_is_detected(overview: dict, key: str) -> None:
    overview["links"][0][key] = False
    assert len(list(checks.links(overview, VALID))) == 1


def test_link_that_drops_a_variable_or_the_range_is_detected(overview: dict) -> None:
    link = next(panel for panel in panels(overview) if panel["links"])["links"][0]
    whole = link["url"]
    for part in ("${symbol:queryparam}", "${interval:queryparam}", "${__url_time_range}"):
        link["url"] = whole.replace(part, "")
        (complaint,) = checks.links(overview, VALID)
        assert complaint.startswith("link to symbol drops ")


def test_dashboard_on_whose_way_a_variable_is_lost_is_detected() -> None:
    health = copy.deepcopy(VALID["pipeline-health"])
    health["templating"]["list"] = [each for each in health["templating"]["list"] if each["name"] != "symbol"]
    lost = set(checks.lost_variables(health, {**VALID, "pipeline-health": health}))
    assert "Symbol: the variable symbol is lost on the way through" in lost


def test_request_for_more_columns_than_are_shown_is_detected(overview: dict) -> None:
    query = first_query(overview, "/klines")
    query["columns"].pop()
    assert len(list(checks.fields(overview))) == 1
    query["url_options"]["params"] = [each for each in query["url_options"]["params"] if each["key"] != "fields"]
    assert len(list(checks.fields(overview))) == 1


def test_panels_of_the_same_rows_with_different_requests_are_detected(overview: dict) -> None:
    query = first_query(overview, "/market_summary")
    fields = next(each for each in query["url_options"]["params"] if each["key"] == "fields")
    fields["value"] = "quote_volume"
    complaints = list(checks.fields(overview))
    assert any("requests quote_volume" in each or "another panel quote_volume" in each for each in complaints)


def test_folder_that_contains_the_name_of_another_is_detected() -> None:
    assert list(checks.folders({"Crypto", "Crypto alarms"})) == ["folder Crypto alarms contains the name Crypto"]


def test_heading_needs_no_more_than_a_title(overview: dict) -> None:
    heading = {"type": "row", "id": 99, "title": "More", "gridPos": {"x": 0, "y": 99, "w": 24, "h": 1}}
    overview["panels"].append(heading)
    assert list(checks.labels(overview)) == []
    heading["title"] = ""
    assert list(checks.labels(overview)) == ["panel 99: no title"]


def test_link_to_nowhere_is_detected(overview: dict) -> None:
    overview["links"][0]["url"] = "/d/market"
    assert list(checks.links(overview, VALID)) == ["links to no dashboard: market"]


@pytest.mark.parametrize(
    "statement", ["SELECT symbol, price, updated_at FROM latest_prices", "SELECT a FROM b WHERE c = 1 ALLOW FILTERING"]
)
def test_statement_that_scans_is_detected(statement: str) -> None:
    direct = copy.deepcopy(VALID["cassandra-direct"])
    direct["panels"][0]["targets"][0]["target"] = statement
    assert len(list(checks.filtering(direct))) == 1
