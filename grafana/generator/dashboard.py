"""The parts of a dashboard that surround its panels: variables, links to the other dashboards, time
range and refresh. Classic JSON, schemaVersion 42."""

from typing import Any

from grafana.generator.layout import Row, place_panels
from grafana.generator.targets import INFINITY, TEXT, api, column

SCHEMA_VERSION = 42
REFRESH = ["5s", "10s", "30s", "1m", "5m"]
# In the order of the links at the top of every dashboard.
TITLES = {
    "start-here": "Start here",
    "market-overview": "Market overview",
    "symbol": "Symbol",
    "live": "Live",
    "forecast": "Forecast",
    "pipeline-health": "Pipeline health",
}


def dashboard(
    uid: str,
    title: str,
    description: str,
    rows: list[Row],
    variables: list[dict],
    start: str,
    refresh: str,
    end: str = "now",
    streams: bool = False,
) -> dict[str, Any]:
    """`start`, `end`: the default time range, e.g. now-6h. `refresh`: an empty string turns it off.
    `streams`: the time axis moves between two refreshes."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["crypto"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": refresh,
        **({"liveNow": True} if streams else {}),
        "time": {"from": start, "to": end},
        "timezone": "browser",
        "timepicker": {"refresh_intervals": REFRESH},
        "templating": {"list": variables},
        "annotations": {"list": []},
        "links": [link(other, name) for other, name in TITLES.items() if other != uid],
        "panels": place_panels(rows),
    }


def link(uid: str, title: str) -> dict[str, Any]:
    """A link to another dashboard that passes on the variables and the time range of this one."""
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


def hidden(variable: dict[str, Any]) -> dict[str, Any]:
    """A variable that this dashboard does not use and passes on to the others, so that no link
    loses what the user chose."""
    return {**variable, "hide": 2}


def api_variable(
    name: str, label: str, description: str, preferred: str, route: str, selector: str, **parameters: str
) -> dict[str, Any]:
    """A variable whose values come from the API. Grafana preselects `preferred` if the API returns
    it, else the first value."""
    columns = [column(selector, TEXT, "__value"), column(selector, TEXT, "__text")]
    query = api(route, columns, parameters, ref="variable")
    query.pop("datasource")
    return {
        "name": name,
        "label": label,
        "description": description,
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
        "current": {"selected": True, "text": preferred, "value": preferred},
    }


QUOTE_ASSET = api_variable(
    "quote_asset",
    "Quote asset",
    "The asset in which the symbols of the market are priced.",
    "USDT",
    "/market_summary",
    "quote_asset",
)
SYMBOL = api_variable(
    "symbol",
    "Symbol",
    "A tracked symbol, which has trades, an order book and candles.",
    "ETHUSDT",
    "/symbols",
    "symbol",
    tracked="true",
)
INTERVALS = ("1m", "5m", "15m", "1h", "4h", "1d")
# `auto` follows the time range: about 150 candles, and no interval below the shortest stored one.
INTERVAL = {
    "name": "interval",
    "label": "Interval",
    "description": "Length of a candle or bar; auto follows the time range.",
    "type": "interval",
    "query": ",".join(INTERVALS),
    "auto": True,
    "auto_count": 150,
    "auto_min": "1m",
    "refresh": 2,
    "hide": 0,
    "skipUrlSync": False,
    "options": [
        {"selected": True, "text": "auto", "value": "$__auto_interval_interval"},
        *({"selected": False, "text": interval, "value": interval} for interval in INTERVALS),
    ],
    "current": {"selected": True, "text": "auto", "value": "$__auto_interval_interval"},
}
# The default of FORECAST_HORIZONS.
HORIZONS = ("15m", "1h")
HORIZON = {
    "name": "horizon",
    "label": "Horizon",
    "description": "How far ahead the forecast reaches.",
    "type": "custom",
    "query": ",".join(HORIZONS),
    "multi": False,
    "includeAll": False,
    "hide": 0,
    "skipUrlSync": False,
    "options": [{"selected": name == HORIZONS[0], "text": name, "value": name} for name in HORIZONS],
    "current": {"selected": True, "text": HORIZONS[0], "value": HORIZONS[0]},
}
