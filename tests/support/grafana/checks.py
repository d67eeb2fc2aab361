"""What a dashboard must keep to. Each rule yields one complaint for each place that breaks it;
tests/unit/grafana shows for each that our dashboards keep it and that a broken one is noticed."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

from tests.support.grafana.files import panels, targets
from tests.support.grafana.metric_names import metrics_in

SCHEMA_VERSION = 42
GRID_COLUMNS = 24
INFINITY, PROMETHEUS, CASSANDRA = (
    "yesoreyeram-infinity-datasource",
    "prometheus",
    "hadesarchitect-cassandra-datasource",
)
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
    """The version that Grafana 12 and 13 read without migrating, a fixed uid, and no id of some
    other database."""
    if dashboard.get("schemaVersion") != SCHEMA_VERSION:
        yield f"schemaVersion {dashboard.get('schemaVersion')}"
    if not dashboard.get("uid"):
        yield "no uid"
    if "id" in dashboard:
        yield f"id {dashboard['id']}"
    if "__inputs" in dashboard:
        yield "placeholders that somebody would have to fill in"


def words(dashboard: dict) -> Complaints:
    """Title, unit and description on every panel; a text has no unit."""
    for panel in panels(dashboard):
        name = panel.get("title") or f"panel {panel.get('id')}"
        if not panel.get("title"):
            yield f"{name}: no title"
        if not panel.get("description"):
            yield f"{name}: no description"
        look = panel.get("fieldConfig", {}).get("defaults", {})
        if panel["type"] != "text" and not look.get("unit"):
            yield f"{name}: no unit"
        if panel["type"] != "text" and not look.get("noValue"):
            yield f"{name}: no text for no data"


def field_options(dashboard: dict) -> Complaints:
    """Field options are ones that Grafana has; it would ignore a misspelt one without a word."""
    for panel in panels(dashboard):
        for option in sorted(set(panel.get("fieldConfig", {}).get("defaults", {})) - FIELD_OPTIONS):
            yield f"{panel.get('title')}: field option {option}"


def ids(dashboard: dict) -> Complaints:
    """Each panel its own id, each target of a panel its own letter."""
    for number, count in Counter(panel.get("id") for panel in panels(dashboard)).items():
        if number is None or count > 1:
            yield f"panel id {number}: {count} times"
    for panel in panels(dashboard):
        letters = [target["refId"] for target in panel.get("targets", [])]
        if len(letters) != len(set(letters)):
            yield f"{panel.get('title')}: targets {letters}"


def places(dashboard: dict) -> Complaints:
    """No two panels on the same spot, none outside of the grid."""
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(dashboard):
        spot, title = panel["gridPos"], panel.get("title")
        if spot["x"] + spot["w"] > GRID_COLUMNS:
            yield f"{title}: beyond column {GRID_COLUMNS}"
        across, down = range(spot["x"], spot["x"] + spot["w"]), range(spot["y"], spot["y"] + spot["h"])
        cells = [(x, y) for x in across for y in down]
        for other in sorted({str(taken[cell]) for cell in cells if cell in taken}):
            yield f"{title}: overlaps {other}"
        taken |= dict.fromkeys(cells, title)


def hosts(dashboard: dict) -> Complaints:
    """Where services are is said by the data sources only."""
    for found in HOST.finditer(json.dumps(dashboard)):
        yield f"names a host: {found[0]}"


def datasources(dashboard: dict, known: Mapping[str, dict]) -> Complaints:
    """Every uid that a panel, target or variable names is provisioned, with that type."""
    variables = [variable for variable in dashboard["templating"]["list"] if "datasource" in variable]
    asked = [panel for panel in panels(dashboard) if panel.get("targets")] + variables
    for place in asked + [target for _, target in targets(dashboard)]:
        named = place.get("datasource") or {}
        found = known.get(named.get("uid"))
        if found is None or found["type"] != named.get("type"):
            yield f"{place.get('title') or place.get('name') or place.get('refId')}: data source {named}"


def infinity_targets(dashboard: dict) -> Iterator[tuple[str, dict]]:
    """(what to call it, query) of every panel's and variable's question to the API."""
    for panel, target in targets(dashboard):
        if target.get("datasource", {}).get("type") == INFINITY:
            yield f"{panel.get('title')} {target['refId']}", target
    for variable in dashboard["templating"]["list"]:
        if variable.get("datasource", {}).get("type") == INFINITY:
            yield f"variable {variable['name']}", variable["query"]["infinityQuery"]


def parser(dashboard: dict) -> Complaints:
    """Without `parser: backend` the browser would parse, and alerts and shared dashboards would
    stay empty."""
    for name, query in infinity_targets(dashboard):
        if (query.get("type"), query.get("source"), query.get("parser")) != ("json", "url", "backend"):
            yield f"{name}: type, source, parser are not json, url, backend"


def columns(dashboard: dict, returned: Mapping[str, Collection[str]]) -> Complaints:
    """Columns are of a type we know, each under its own title, and the route (`returned`: its
    columns) has them."""
    for name, query in infinity_targets(dashboard):
        have = returned.get(query["url"])
        if have is None:
            yield f"{name}: no route {query['url']}"
            continue
        if not query.get("columns"):
            yield f"{name}: no columns"
        titles = [column["text"] for column in query.get("columns", [])]
        if len(titles) != len(set(titles)):
            yield f"{name}: two columns of one title in {titles}"
        for column in query.get("columns", []):
            if column["selector"] not in have:
                yield f"{name}: {query['url']} returns no {column['selector']}"
            if column["type"] not in COLUMN_TYPES:
                yield f"{name}: {column['selector']} is of type {column['type']}"


def parameters(dashboard: dict, taken: Mapping[str, Collection[str]]) -> Complaints:
    """The route (`taken`: its parameters) knows every parameter."""
    for name, query in infinity_targets(dashboard):
        for parameter in query.get("url_options", {}).get("params", []):
            if parameter["key"] not in taken.get(query["url"], ()):
                yield f"{name}: {query['url']} takes no {parameter['key']}"


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
    """Every variable that is used is defined (`__…` are Grafana's own)."""
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    text = json.dumps([*dashboard["panels"], dashboard["templating"]["list"]])
    for used in sorted(set(re.findall(r"\$\{?([a-z][a-z_]*)", text)) - defined):
        yield f"no variable {used}"


def links(dashboard: dict, known: Collection[str]) -> Complaints:
    """Links lead to dashboards that exist, and take variables and time range along."""
    for link in dashboard["links"]:
        if not (link.get("keepTime") and link.get("includeVars")):
            yield f"{link['title']}: leaves variables or time range behind"
    for uid in re.findall(r"/d/([a-z0-9-]+)", json.dumps(dashboard)):
        if uid not in known:
            yield f"leads to no dashboard: {uid}"


def filtering(dashboard: dict) -> Complaints:
    """Statements to Cassandra read known partitions."""
    for panel, target in targets(dashboard):
        if target.get("datasource", {}).get("type") == CASSANDRA:
            statement = target.get("target", "").upper()
            if "ALLOW FILTERING" in statement or target.get("filtering") or " WHERE " not in statement:
                yield f"{panel.get('title')}: reads more than a partition"


# Those that need no knowledge from outside.
ALONE: tuple[Callable[[dict], Complaints], ...] = (
    header,
    words,
    field_options,
    ids,
    places,
    hosts,
    parser,
    variables,
    filtering,
)
