"""What a panel queries: one request to our API through Infinity, one PromQL query, one CQL
statement, or one channel of Grafana Live. Knows the query models of the plugins; knows nothing of
panels."""

from collections.abc import Iterable, Mapping
from typing import Any

INFINITY = {"type": "yesoreyeram-infinity-datasource", "uid": "market-api"}
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
# Grafana's own source, whose channels are pushed by consumer_to_grafana.py.
LIVE = {"type": "datasource", "uid": "grafana"}
CASSANDRA = {"type": "hadesarchitect-cassandra-datasource", "uid": "cassandra-direct"}

TEXT, NUMBER, FLAG, TIME = "string", "number", "boolean", "timestamp_epoch"
# Filled in by the plugin's backend, which also respects a time shift of the panel.
RANGE = {"from": "${__timeFrom}", "to": "${__timeTo}"}
# `interval` follows the range, so a request reaches 5000 rows only if the user chooses a short
# interval for a long range.
CANDLES = {"symbol": "${symbol}", "interval": "${interval}", **RANGE, "limit": "5000"}

Target = dict[str, Any]


def column(selector: str, kind: str, title: str | None = None) -> dict[str, str]:
    """A column of the response; `title` is the name of the field in Grafana."""
    return {"selector": selector, "text": title or selector, "type": kind}


def api(
    route: str,
    columns: list[dict[str, str]],
    parameters: Mapping[str, object],
    shape: str = "table",
    ref: str = "A",
    fields: Iterable[str] = (),
) -> Target:
    """GET `route`, for these columns alone: Infinity sends a copy of the whole response to the
    browser. `shape` is `table`, or `timeseries` when the columns are a time, numbers and perhaps a
    name. Panels whose requests differ in their columns only request the `fields` of all of them, so
    that the API reads the rows once and answers the others from its cache."""
    requested = ",".join(fields or (column["selector"] for column in columns))
    return {
        "refId": ref,
        "datasource": INFINITY,
        "type": "json",
        "source": "url",
        "parser": "backend",
        "format": shape,
        "url": route,
        "url_options": {
            "method": "GET",
            "data": "",
            "headers": [],
            "params": [{"key": key, "value": str(value)} for key, value in {**parameters, "fields": requested}.items()],
        },
        # The response itself is the array; a selector that matches nothing would be an error.
        "root_selector": "",
        "columns": columns,
        "filters": [],
        "computed_columns": [],
        "filterExpression": "",
        "pagination_mode": "none",
    }


def promql(expression: str, legend: str = "", instant: bool = False, ref: str = "A") -> Target:
    """A query over the dashboard's time range, or at its end only if `instant`."""
    return {
        "refId": ref,
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend or "__auto",
        "instant": instant,
        "range": not instant,
        "format": "time_series",
    }


def cql(statement: str, ref: str = "A") -> Target:
    """A SELECT of a name, a value and a time, in this order: the plugin identifies them by
    position."""
    return {
        "refId": ref,
        "datasource": CASSANDRA,
        "queryType": "query",
        "rawQuery": True,
        "target": statement,
        "alias": "",
    }


# What a browser keeps of a channel; a little more than the time range, so that a line has no gap.
LIVE_BUFFER_MS = 6 * 60_000


def live(channel: str, ref: str = "A") -> Target:
    """The frames of a channel, as they are pushed. Alone in its panel: with a query beside it, the
    panel stays empty. A variable in the name works, one in a filter does not."""
    return {
        "refId": ref,
        "datasource": LIVE,
        "queryType": "measurements",
        "channel": f"stream/crypto/{channel}",
        "buffer": LIVE_BUFFER_MS,
    }
