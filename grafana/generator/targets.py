"""What a panel asks: one request to our API through Infinity, one PromQL query, or one CQL
statement. Knows the query models of the plugins; knows nothing of panels."""

from typing import Any

INFINITY = {"type": "yesoreyeram-infinity-datasource", "uid": "market-api"}
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
CASSANDRA = {"type": "hadesarchitect-cassandra-datasource", "uid": "cassandra-direct"}

TEXT, NUMBER, FLAG, TIME = "string", "number", "boolean", "timestamp_epoch"
# Filled in by the plugin's backend, so that a panel's own time shift counts as well.
RANGE = {"from": "${__timeFrom}", "to": "${__timeTo}"}
# `interval` follows the range, so 5000 rows are never reached unless a short one is chosen for a
# long range.
CANDLES = {"symbol": "${symbol}", "interval": "${interval}", **RANGE, "limit": 5000}

Target = dict[str, Any]


def column(selector: str, kind: str, title: str | None = None) -> dict[str, str]:
    """A column of the answer; `title` is what the field is called in Grafana."""
    return {"selector": selector, "text": title or selector, "type": kind}


def api(route: str, columns: list[dict[str, str]], shape: str = "table", ref: str = "A", **params: Any) -> Target:
    """GET `route`. `shape` is `table`, or `timeseries` when the columns are a time and numbers.
    Panels that ask the same get their rows from the API's memory, so that nothing has to be shared
    between panels."""
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
            "params": [{"key": key, "value": str(value)} for key, value in params.items()],
        },
        # The answer is an array itself; a selector that matches nothing would be an error.
        "root_selector": "",
        "columns": columns,
        "filters": [],
        "computed_columns": [],
        "filterExpression": "",
        "pagination_mode": "none",
    }


def promql(expression: str, legend: str = "", instant: bool = False, ref: str = "A") -> Target:
    """A query over the dashboard's range, or only its end."""
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
    """A SELECT of a name, a value and a time, in this order: the plugin goes by position."""
    return {
        "refId": ref,
        "datasource": CASSANDRA,
        "queryType": "query",
        "rawQuery": True,
        "target": statement,
        "alias": "",
    }
