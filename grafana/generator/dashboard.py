"""A dashboard around its panels: variables, links to the others, range and refresh. Classic JSON,
schemaVersion 42."""

from typing import Any

from grafana.generator.layout import Row, placed
from grafana.generator.targets import INFINITY, TEXT, api, column

SCHEMA_VERSION = 42
REFRESH = ["5s", "10s", "30s", "1m", "5m"]
# In the order of the links on top of every dashboard.
TITLES = {
    "start-here": "Start here",
    "market-overview": "Market overview",
    "symbol": "Symbol",
    "pipeline-health": "Pipeline health",
}


def dashboard(
    uid: str, title: str, text: str, rows: list[Row], variables: list[dict], since: str, refresh: str
) -> dict[str, Any]:
    """`since`: the default range, e.g. now-6h; `refresh`: empty for none."""
    return {
        "uid": uid,
        "title": title,
        "description": text,
        "tags": ["crypto"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": refresh,
        "time": {"from": since, "to": "now"},
        "timezone": "browser",
        "timepicker": {"refresh_intervals": REFRESH},
        "templating": {"list": variables},
        "annotations": {"list": []},
        "links": [link(other, name) for other, name in TITLES.items() if other != uid],
        "panels": placed(rows),
    }


def link(uid: str, title: str) -> dict[str, Any]:
    """To another dashboard, with the variables and the time range of this one."""
    return {
        "type": "link",
        "title": title,
        "url": f"/d/{uid}",
        "icon": "dashboard",
        "tooltip": "",
        "tags": [],
        "asDropdown": False,
        "targetBlank": False,
        "keepTime": True,
        "includeVars": True,
    }


def choice(name: str, label: str, text: str, first: str, route: str, selector: str, **params: str) -> dict[str, Any]:
    """A variable whose values come from the API; `first` is shown at first if it is among them,
    else the first is."""
    columns = [column(selector, TEXT, "__value"), column(selector, TEXT, "__text")]
    query = api(route, columns, ref="variable", **params)
    query.pop("datasource")
    return {
        "name": name,
        "label": label,
        "description": text,
        "type": "query",
        "datasource": INFINITY,
        "query": {"queryType": "infinity", "refId": "variable", "infinityQuery": query},
        "definition": f"{route} {selector}",
        "refresh": 1,
        "regex": "",
        "sort": 0,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "skipUrlSync": False,
        "options": [],
        "current": {"selected": True, "text": first, "value": first},
    }


QUOTE_ASSET = choice(
    "quote_asset",
    "Quote asset",
    "What the symbols of the market are priced in.",
    "USDT",
    "/market_summary",
    "quote_asset",
)
SYMBOL = choice(
    "symbol",
    "Symbol",
    "A tracked symbol: one with trades, order book and candles.",
    "ETHUSDT",
    "/symbols",
    "symbol",
    tracked="true",
)
LENGTHS = ("1m", "5m", "15m", "1h", "4h", "1d")
# The first choice follows the time range: about 150 candles, none shorter than the shortest one
# stored.
INTERVAL = {
    "name": "interval",
    "label": "Interval",
    "description": "Length of a candle or bar; auto follows the time range.",
    "type": "interval",
    "query": ",".join(LENGTHS),
    "auto": True,
    "auto_count": 150,
    "auto_min": "1m",
    "refresh": 2,
    "hide": 0,
    "skipUrlSync": False,
    "options": [
        {"selected": True, "text": "auto", "value": "$__auto_interval_interval"},
        *({"selected": False, "text": each, "value": each} for each in LENGTHS),
    ],
    "current": {"selected": True, "text": "auto", "value": "$__auto_interval_interval"},
}
