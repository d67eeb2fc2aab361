"""One function for each kind of panel, so that panels of a kind look alike. Knows Grafana's panel
options; knows nothing of what is shown. A panel has neither id nor place yet (see layout.py)."""

from typing import Any

from grafana.generator.fields import defaults
from grafana.generator.targets import Target

Panel = dict[str, Any]
BOTTOM_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
NO_LEGEND = {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []}
LAST_VALUE = {"values": False, "calcs": ["lastNotNull"], "fields": ""}
ALL_SERIES = {"mode": "multi", "sort": "desc"}


def panel(kind: str, title: str, text: str, targets: list[Target], look: dict, options: dict, **more: Any) -> Panel:
    """What every panel has. `text` says what it shows, what is normal, what to do otherwise."""
    return {
        "type": kind,
        "title": title,
        "description": text,
        "datasource": targets[0]["datasource"],
        "targets": targets,
        "fieldConfig": {"defaults": look, "overrides": more.pop("only", [])},
        "options": options,
        "transformations": more.pop("transformations", []),
        "links": more.pop("links", []),
        **more,
    }


def lines(title: str, text: str, targets: list[Target], unit: str, **look: Any) -> Panel:
    """Values over time as lines. `legend`: also for a single query, which may have several
    series."""
    return _over_time(title, text, targets, unit, {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 8}, look)


def bars(title: str, text: str, targets: list[Target], unit: str, **look: Any) -> Panel:
    """Values over time as bars."""
    return _over_time(title, text, targets, unit, {"drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80}, look)


def _over_time(title: str, text: str, targets: list[Target], unit: str, style: dict, look: dict) -> Panel:
    overrides, links, legend = look.pop("only", []), look.pop("links", []), look.pop("legend", False)
    style = {"lineInterpolation": "linear", "showPoints": "never", "spanNulls": False, **style}
    custom = {**style, **look.pop("custom", {})}
    if "colour" not in look:
        look["color"] = {"mode": "palette-classic-by-name"}
    several = legend or overrides or len(targets) > 1
    options = {"legend": BOTTOM_LEGEND if several else NO_LEGEND, "tooltip": ALL_SERIES}
    look = defaults(unit, custom=custom, **look)
    return panel("timeseries", title, text, targets, look, options, only=overrides, links=links)


def stat(title: str, text: str, targets: list[Target], unit: str, **look: Any) -> Panel:
    """Single values, the last of each field; coloured text, or the whole tile with `background`."""
    overrides = look.pop("only", [])
    options = {
        "reduceOptions": LAST_VALUE,
        "colorMode": "background" if look.pop("background", False) else "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": look.pop("text_mode", "auto"),
        "wideLayout": True,
    }
    return panel("stat", title, text, targets, defaults(unit, **look), options, only=overrides)


def gauge(title: str, text: str, targets: list[Target], unit: str, **look: Any) -> Panel:
    """One value between `min` and `max`, with its thresholds on the rim."""
    options = {
        "reduceOptions": LAST_VALUE,
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
    }
    return panel("gauge", title, text, targets, defaults(unit, **look), options)


def table(title: str, text: str, targets: list[Target], order: list[str], unit: str, **look: Any) -> Panel:
    """Rows. `order`: the columns from left to right (the plugin delivers them by name);
    `newest_first`: by column."""
    sort, overrides = look.pop("newest_first", None), look.pop("only", [])
    transformation = {
        "id": "organize",
        "options": {
            "excludeByName": {},
            "includeByName": {},
            "renameByName": {},
            "indexByName": {name: index for index, name in enumerate(order)},
        },
    }
    options = {
        "showHeader": True,
        "cellHeight": "sm",
        "sortBy": [{"displayName": sort, "desc": True}] if sort else [],
    }
    look = defaults(unit, **{"custom": {"align": "auto", "cellOptions": {"type": "auto"}}, **look})
    return panel("table", title, text, targets, look, options, only=overrides, transformations=[transformation])


def ranking(title: str, text: str, targets: list[Target], unit: str, names: str, **look: Any) -> Panel:
    """A bar for each row, named by the column `names`."""
    options = {
        "xField": names,
        "orientation": "horizontal",
        "barWidth": 0.8,
        "groupWidth": 0.7,
        "barRadius": 0.1,
        "stacking": "none",
        "showValue": "always",
        "fullHighlight": False,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
        "legend": NO_LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"lineWidth": 0, "fillOpacity": 85, "gradientMode": "none"}
    return panel("barchart", title, text, targets, defaults(unit, custom=custom, **look), options)


def histogram(title: str, text: str, targets: list[Target], unit: str, **look: Any) -> Panel:
    """How often which values occur."""
    options = {"bucketCount": 30, "combine": False, "legend": NO_LEGEND, "tooltip": {"mode": "single", "sort": "none"}}
    custom = {"lineWidth": 1, "fillOpacity": 80, "gradientMode": "none"}
    return panel("histogram", title, text, targets, defaults(unit, custom=custom, **look), options)


def candles(title: str, text: str, targets: list[Target], unit: str, up: str, down: str, **look: Any) -> Panel:
    """Fields called open, high, low, close and volume."""
    overrides = look.pop("only", [])
    options = {
        "mode": "candles+volume",
        "candleStyle": "candles",
        "colorStrategy": "open-close",
        "colors": {"up": up, "down": down},
        "fields": {name: name for name in ("open", "high", "low", "close", "volume")},
        "includeAllFields": False,
        "legend": NO_LEGEND,
        "tooltip": ALL_SERIES,
    }
    return panel("candlestick", title, text, targets, defaults(unit, **look), options, only=overrides)


def curves(title: str, text: str, targets: list[Target], unit: str, x: str, **look: Any) -> Panel:
    """Values over the ascending numbers of the field `x`, as steps."""
    overrides = look.pop("only", [])
    custom = {"drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 2, "fillOpacity": 25}
    options = {"xField": x, "legend": BOTTOM_LEGEND, "tooltip": {"mode": "multi", "sort": "none"}}
    return panel("trend", title, text, targets, defaults(unit, custom=custom, **look), options, only=overrides)


def note(title: str, markdown: str, text: str) -> Panel:
    """Words. Has a description like every panel."""
    return {
        "type": "text",
        "title": title,
        "description": text,
        "targets": [],
        "options": {"mode": "markdown", "content": markdown},
    }
