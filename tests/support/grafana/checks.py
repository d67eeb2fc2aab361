"""The rules that a dashboard must follow. Each rule yields one complaint per place that breaks it.
tests/unit/grafana shows for each rule that our dashboards follow it and that it detects a
violation."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from tests.support.grafana import colour_checks, display_checks, layout_checks, live_checks
from tests.support.grafana.files import panels, targets
from tests.support.grafana.metric_names import metrics_in

SCHEMA_VERSION = 42
GRID_COLUMNS = 24
INFINITY, PROMETHEUS, CASSANDRA = (
    "yesoreyeram-infinity-datasource",
    "prometheus",
    "hadesarchitect-cassandra-datasource",
)
# Part of every Grafana, so not provisioned.
LIVE = {"type": "datasource", "uid": "grafana"}
COLUMN_TYPES = {"string", "number", "boolean", "timestamp_epoch"}
FIELD_OPTIONS = {
    "unit",
    "decimals",
    "min",
    "max",
    "noValue",
    "displayName",
    "color",
    "thresholds",
    "mappings",
    "links",
    "custom",
}
HOST = re.compile(r"https?://|localhost|\b\d{1,3}(\.\d{1,3}){3}\b|\b[a-z]+:\d{4,5}\b")

Complaints = Iterator[str]


def header(dashboard: dict) -> Complaints:
    """The schema version that Grafana 12 and 13 read without migrating, a fixed uid, and no id of
    another Grafana's database."""
    if dashboard.get("schemaVersion") != SCHEMA_VERSION:
        yield f"schemaVersion {dashboard.get('schemaVersion')}"
    if not dashboard.get("uid"):
        yield "no uid"
    if "id" in dashboard:
        yield f"id {dashboard['id']}"
    if "__inputs" in dashboard:
        yield "placeholders that would have to be filled in"


def labels(dashboard: dict) -> Complaints:
    """A title, a unit and a description on every panel; a text panel has no unit, a heading only a
    title."""
    for panel in panels(dashboard):
        name = panel.get("title") or f"panel {panel.get('id')}"
        if not panel.get("title"):
            yield f"{name}: no title"
        if panel["type"] == "row":
            continue
        if not panel.get("description"):
            yield f"{name}: no description"
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if panel["type"] != "text" and not defaults.get("unit"):
            yield f"{name}: no unit"
        if panel["type"] != "text" and not defaults.get("noValue"):
            yield f"{name}: no text for missing data"


def field_options(dashboard: dict) -> Complaints:
    """Only field options that Grafana has; it would silently ignore a misspelt one."""
    for panel in panels(dashboard):
        for option in sorted(set(panel.get("fieldConfig", {}).get("defaults", {})) - FIELD_OPTIONS):
            yield f"{panel.get('title')}: field option {option}"


def ids(dashboard: dict) -> Complaints:
    """Panel ids are unique, and so are the letters of a panel's targets."""
    for number, count in Counter(panel.get("id") for panel in panels(dashboard)).items():
        if number is None or count > 1:
            yield f"panel id {number}: {count} times"
    for panel in panels(dashboard):
        letters = [target["refId"] for target in panel.get("targets", [])]
        if len(letters) != len(set(letters)):
            yield f"{panel.get('title')}: targets {letters}"


def positions(dashboard: dict) -> Complaints:
    """Panels do not overlap and do not leave the grid."""
    occupied: dict[tuple[int, int], str] = {}
    for panel in panels(dashboard):
        spot, title = panel["gridPos"], str(panel.get("title"))
        if spot["x"] + spot["w"] > GRID_COLUMNS:
            yield f"{title}: beyond column {GRID_COLUMNS}"
        across, down = range(spot["x"], spot["x"] + spot["w"]), range(spot["y"], spot["y"] + spot["h"])
        cells = [(x, y) for x in across for y in down]
        for other in sorted({occupied[cell] for cell in cells if cell in occupied}):
            yield f"{title}: overlaps {other}"
        occupied |= dict.fromkeys(cells, title)


def hosts(dashboard: dict) -> Complaints:
    """Only the data sources name the addresses of services."""
    for match in HOST.finditer(json.dumps(dashboard)):
        yield f"names a host: {match[0]}"


def datasources(dashboard: dict, known: Mapping[str, dict]) -> Complaints:
    """Every data source that a panel, target or variable names is provisioned with that type."""
    variables = [variable for variable in dashboard["templating"]["list"] if "datasource" in variable]
    users = [panel for panel in panels(dashboard) if panel.get("targets")] + variables
    for place in users + [target for _, target in targets(dashboard)]:
        named = place.get("datasource") or {}
        if named == LIVE:
            continue
        provisioned = known.get(named.get("uid", ""))
        if provisioned is None or provisioned["type"] != named.get("type"):
            yield f"{place.get('title') or place.get('name') or place.get('refId')}: data source {named}"


def infinity_targets(dashboard: dict) -> Iterator[tuple[str, dict]]:
    """(name for messages, query) of every panel's and variable's request to the API."""
    for panel, target in targets(dashboard):
        if target.get("datasource", {}).get("type") == INFINITY:
            yield f"{panel.get('title')} {target['refId']}", target
    for variable in dashboard["templating"]["list"]:
        if variable.get("datasource", {}).get("type") == INFINITY:
            yield f"variable {variable['name']}", variable["query"]["infinityQuery"]


def parser(dashboard: dict) -> Complaints:
    """Without `parser: backend` the browser would parse the response, and alerts and shared
    dashboards would stay empty."""
    for name, query in infinity_targets(dashboard):
        if (query.get("type"), query.get("source"), query.get("parser")) != ("json", "url", "backend"):
            yield f"{name}: type, source, parser are not json, url, backend"


def columns(dashboard: dict, returned: Mapping[str, Collection[str]]) -> Complaints:
    """Columns have a known type and a unique title, and the route returns them. `returned`: the
    columns of each route."""
    for name, query in infinity_targets(dashboard):
        available = returned.get(query["url"])
        if available is None:
            yield f"{name}: no route {query['url']}"
            continue
        if not query.get("columns"):
            yield f"{name}: no columns"
        titles = [column["text"] for column in query.get("columns", [])]
        if len(titles) != len(set(titles)):
            yield f"{name}: two columns with the same title in {titles}"
        for column in query.get("columns", []):
            if column["selector"] not in available:
                yield f"{name}: {query['url']} returns no {column['selector']}"
            if column["type"] not in COLUMN_TYPES:
                yield f"{name}: {column['selector']} is of type {column['type']}"


def parameters(dashboard: dict, accepted: Mapping[str, Collection[str]]) -> Complaints:
    """The route accepts every parameter. `accepted`: the parameters of each route."""
    for name, query in infinity_targets(dashboard):
        for parameter in query.get("url_options", {}).get("params", []):
            if parameter["key"] not in accepted.get(query["url"], ()):
                yield f"{name}: {query['url']} does not accept {parameter['key']}"


def fields(dashboard: dict) -> Complaints:
    """A request asks for the columns that it shows, because the plugin sends a copy of the whole
    response to the browser; or for those of all panels whose requests are otherwise the same, so
    that the API answers them from its cache."""
    shown: dict[str, set[str]] = defaultdict(set)
    requested: dict[str, str] = {}
    for name, query in infinity_targets(dashboard):
        parameters = {each["key"]: each["value"] for each in query["url_options"]["params"]}
        fields = parameters.pop("fields", "")
        # Variables are requested when the dashboard opens, and their panels when it refreshes.
        question = f"{query['url']} {parameters} {name if name.startswith('variable') else ''}"
        shown[question].update(column["selector"] for column in query["columns"])
        if requested.setdefault(question, fields) != fields:
            yield f"{name}: requests {fields}, another panel {requested[question]} of the same rows"
    for question, columns in shown.items():
        if set(requested[question].split(",")) != columns:
            yield f"{question}: requests {requested[question]}, shows {sorted(columns)}"


def expressions(dashboard: dict) -> Iterator[tuple[str, str]]:
    for panel, target in targets(dashboard):
        if target.get("datasource", {}).get("type") == PROMETHEUS:
            yield f"{panel.get('title')} {target['refId']}", target["expr"]


def metrics(dashboard: dict, exported: Collection[str]) -> Complaints:
    """Every metric in a query is exported by a program or recorded by a rule."""
    for name, expression in expressions(dashboard):
        try:
            for missing in sorted(metrics_in(expression) - set(exported)):
                yield f"{name}: nothing exports {missing}"
        except ValueError as error:
            yield f"{name}: {error}"


def variables(dashboard: dict) -> Complaints:
    """Every variable that is used is defined (`__…` are built into Grafana)."""
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    text = json.dumps([*dashboard["panels"], dashboard["templating"]["list"]])
    for used in sorted(set(re.findall(r"\$\{?([a-z][a-z_]*)", text)) - defined):
        yield f"no variable {used}"


def links(dashboard: dict, known: Mapping[str, dict]) -> Complaints:
    """Links lead to dashboards that exist, and pass on variables and time range."""
    for link in dashboard["links"]:
        if not (link.get("keepTime") and link.get("includeVars")):
            yield f"{link['title']}: does not pass on variables or time range"
    for uid in re.findall(r"/d/([a-z0-9-]+)", json.dumps(dashboard)):
        if uid not in known:
            yield f"links to no dashboard: {uid}"
    yield from lost_variables(dashboard, known)
    for uid, query in re.findall(r"/d/([a-z0-9-]+)([^\s)\"]*)", json.dumps(dashboard["panels"])):
        if "${__url_time_range}" not in query:
            yield f"link to {uid} drops the time range"
        if "${__all_variables}" not in query:
            for name in sorted(chosen_variables(known.get(uid, {})) & chosen_variables(dashboard)):
                if f"var-{name}=" not in query and f"${{{name}:queryparam}}" not in query:
                    yield f"link to {uid} drops {name}"


def lost_variables(dashboard: dict, known: Mapping[str, dict]) -> Complaints:
    """A dashboard between two others passes on what it does not use itself. One that no other links
    to has nothing to pass on."""
    own_path = f"/d/{dashboard['uid']}"
    if any(own_path == link["url"] for other in known.values() for link in other["links"]):
        for link in dashboard["links"]:
            target = known.get(link["url"].removeprefix("/d/"), {})
            for name in sorted(chosen_variables(target) - chosen_variables(dashboard)):
                yield f"{link['title']}: the variable {name} is lost on the way through"


def chosen_variables(dashboard: Mapping[str, Any]) -> set[str]:
    """The variables that a user can choose and that are part of a dashboard's address."""
    return {each["name"] for each in dashboard.get("templating", {}).get("list", []) if not each["skipUrlSync"]}


def folders(names: Collection[str]) -> Complaints:
    """No folder's name contains another's: Grafana searches for folders by name at each start, and
    deleted what it found twice."""
    for one in names:
        for other in names:
            if one != other and one in other:
                yield f"folder {other} contains the name {one}"


def filtering(dashboard: dict) -> Complaints:
    """Statements for Cassandra read named partitions."""
    for panel, target in targets(dashboard):
        if target.get("datasource", {}).get("type") == CASSANDRA:
            statement = target.get("target", "").upper()
            if "ALLOW FILTERING" in statement or target.get("filtering") or " WHERE " not in statement:
                yield f"{panel.get('title')}: reads more than one partition"


# The rules that need nothing but the dashboard.
SELF_CONTAINED: tuple[Callable[[dict], Complaints], ...] = (
    header,
    labels,
    field_options,
    ids,
    positions,
    hosts,
    parser,
    fields,
    variables,
    filtering,
    colour_checks.contrast,
    colour_checks.series,
    *display_checks.RULES,
    *layout_checks.RULES,
    *live_checks.RULES,
)
