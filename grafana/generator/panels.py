"""One function per panel type, so that all panels of a type look alike. Knows Grafana's panel
options; knows nothing of what a panel shows. A panel gets its id and position in layout.py.

`overrides` are options of single fields, further keywords are options of all fields of the panel
(see fields.py)."""

from typing import Any

from grafana.generator.fields import EMPTY_RANGE, NO_DATA, NO_FRAMES, NO_SAMPLES, defaults, override, threshold_steps
from grafana.generator.palette import BAD_TILE, GOOD_TILE, PLAIN_TEXT, WARNING_TILE
from grafana.generator.targets import LIVE, PROMETHEUS, RANGE, Target, promql

Panel = dict[str, Any]
Overrides = list[dict[str, Any]]
BOTTOM_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
NO_LEGEND = {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []}
# All fields: the default would leave out those that hold text.
LAST_VALUE = {"values": False, "calcs": ["lastNotNull"], "fields": "/.*/"}
LAST_NUMBER = {"values": False, "calcs": ["lastNotNull"], "fields": ""}
# Grafana's own default of 150 px hides columns on a phone.
MIN_COLUMN_PX = 60
ALL_SERIES = {"mode": "multi", "sort": "desc"}


def panel(
    kind: str,
    title: str,
    description: str,
    targets: list[Target],
    field_options: dict[str, Any],
    options: dict[str, Any],
    overrides: Overrides | None = None,
    transformations: list[dict[str, Any]] | None = None,
    links: list[dict[str, str]] | None = None,
) -> Panel:
    """`description` says what the panel shows, what is normal, and what to do otherwise."""
    if field_options.get("noValue") == NO_DATA:
        field_options = {**field_options, "noValue": empty_text(targets)}
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": targets[0]["datasource"],
        "targets": targets,
        "fieldConfig": {"defaults": field_options, "overrides": overrides or []},
        "options": options,
        "transformations": transformations or [],
        "links": links or [],
    }


def empty_text(targets: list[Target]) -> str:
    """Why a panel without data is empty."""
    if targets[0]["datasource"] == PROMETHEUS:
        return NO_SAMPLES
    if targets[0]["datasource"] == LIVE:
        return NO_FRAMES
    parameters = [each["value"] for each in targets[0].get("url_options", {}).get("params", ())]
    is_ranged = "$__timeFrom" in targets[0].get("target", "") or RANGE["from"] in parameters
    return EMPTY_RANGE if is_ranged else NO_DATA


def heading(title: str) -> Panel:
    """The title of the panels below it."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def line_chart(title: str, description: str, targets: list[Target], unit: str, **options: Any) -> Panel:
    """Values over time as lines."""
    style = {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 8}
    return _time_series(title, description, targets, unit, style, **options)


def bar_chart(title: str, description: str, targets: list[Target], unit: str, **options: Any) -> Panel:
    """Values over time as bars, from 0: a bar that starts elsewhere looks several times its
    neighbour."""
    style = {"drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80}
    return _time_series(title, description, targets, unit, style, **{"min": 0, **options})


def _time_series(
    title: str,
    description: str,
    targets: list[Target],
    unit: str,
    style: dict[str, Any],
    overrides: Overrides | None = None,
    links: list[dict[str, str]] | None = None,
    legend: bool = False,
    custom: dict[str, Any] | None = None,
    **field_options: Any,
) -> Panel:
    """`legend`: show it even for a single target, which may return several series."""
    if "colour" not in field_options:
        field_options["color"] = {"mode": "palette-classic"}
    show_legend = legend or overrides or len(targets) > 1
    line_style = {"lineInterpolation": "linear", "showPoints": "never", "spanNulls": False, **style}
    return panel(
        "timeseries",
        title,
        description,
        targets,
        defaults(unit, custom={**line_style, **(custom or {})}, **field_options),
        {"legend": BOTTOM_LEGEND if show_legend else NO_LEGEND, "tooltip": ALL_SERIES},
        overrides=overrides,
        links=links,
    )


def stat(
    title: str,
    description: str,
    targets: list[Target],
    unit: str,
    overrides: Overrides | None = None,
    background: bool = False,
    text_mode: str = "auto",
    sparkline: bool = False,
    only: str = "",
    **field_options: Any,
) -> Panel:
    """Single values, the last of each field, or of those that match the regular expression `only`.
    Colours the text, or with `background` the whole tile."""
    has_time = targets[0]["datasource"] in (PROMETHEUS, LIVE)
    options = {
        "reduceOptions": {**LAST_NUMBER, "fields": only} if has_time else LAST_VALUE,
        "colorMode": "background_solid" if background else "value",
        "graphMode": "area" if sparkline else "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": text_mode,
        "wideLayout": True,
    }
    return panel("stat", title, description, targets, defaults(unit, **field_options), options, overrides)


def graded(
    title: str, description: str, expression: str, legend: str, unit: str, warning: float, bad: float, decimals: int = 0
) -> Panel:
    """A number of Prometheus on a tile whose colour says how good it is: well below `warning`, bad
    from `bad` on."""
    return stat(
        title,
        description,
        [promql(expression, legend, instant=True)],
        unit,
        decimals=decimals,
        background=True,
        text_mode="value",
        thresholds=threshold_steps((None, GOOD_TILE), (warning, WARNING_TILE), (bad, BAD_TILE)),
    )


def state_timeline(title: str, description: str, targets: list[Target], **field_options: Any) -> Panel:
    """A band per series, coloured by its state at each time."""
    options = {
        "mergeValues": True,
        "showValue": "never",
        "alignValue": "left",
        "rowHeight": 0.8,
        "perPage": 20,
        "legend": NO_LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"lineWidth": 0, "fillOpacity": 90}
    return panel(
        "state-timeline", title, description, targets, defaults("none", custom=custom, **field_options), options
    )


def table(
    title: str,
    description: str,
    targets: list[Target],
    order: list[str],
    unit: str,
    newest_first: str | None = None,
    transformations: list[dict[str, Any]] | None = None,
    overrides: Overrides | None = None,
    **field_options: Any,
) -> Panel:
    """Rows. `order`: the columns from left to right, because the plugin returns them sorted by
    name. `newest_first`: the ascending number to sort by, which is not shown; by time alone, rows
    of the same millisecond would be in the wrong order. `transformations`: these instead."""
    sort = {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": newest_first, "desc": True}]}}
    organize = {
        "id": "organize",
        "options": {
            "excludeByName": {newest_first: True} if newest_first else {},
            "includeByName": {},
            "renameByName": {},
            "indexByName": {name: index for index, name in enumerate(order)},
        },
    }
    if transformations is None:
        transformations = [sort, organize] if newest_first else [organize]
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": []}
    cells = {"align": "auto", "cellOptions": {"type": "auto"}, "minWidth": MIN_COLUMN_PX}
    all_fields = defaults(unit, **{"custom": cells, "colour": PLAIN_TEXT, **field_options})
    return panel("table", title, description, targets, all_fields, options, overrides, transformations)


def horizontal_bars(
    title: str,
    description: str,
    targets: list[Target],
    unit: str,
    names: str,
    stacked: bool = False,
    overrides: Overrides | None = None,
    **field_options: Any,
) -> Panel:
    """One bar per row, labelled with the column `names`; `stacked`: one bar per row with a part per
    number. The values stand at the bars, so there is no axis, whose labels would touch."""
    options = {
        "xField": names,
        "orientation": "horizontal",
        "barWidth": 0.8,
        "groupWidth": 0.7,
        "barRadius": 0.1,
        "stacking": "normal" if stacked else "none",
        "showValue": "always",
        "fullHighlight": False,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
        "legend": BOTTOM_LEGEND if stacked else NO_LEGEND,
        "tooltip": {"mode": "multi" if stacked else "single", "sort": "none"},
    }
    custom = {"lineWidth": 0, "fillOpacity": 85, "gradientMode": "none", "axisPlacement": "hidden"}
    all_fields = defaults(unit, **{"custom": custom, "min": 0, **field_options})
    with_names = [override(names, custom_axisPlacement="auto"), *(overrides or [])]
    return panel("barchart", title, description, targets, all_fields, options, with_names)


def histogram(title: str, description: str, targets: list[Target], unit: str, **field_options: Any) -> Panel:
    """How often values of each size occur."""
    options = {"bucketCount": 30, "combine": False, "legend": NO_LEGEND, "tooltip": {"mode": "single", "sort": "none"}}
    custom = {"lineWidth": 1, "fillOpacity": 80, "gradientMode": "none"}
    return panel("histogram", title, description, targets, defaults(unit, custom=custom, **field_options), options)


def candlestick(
    title: str,
    description: str,
    targets: list[Target],
    unit: str,
    up: str,
    down: str,
    overrides: Overrides | None = None,
    **field_options: Any,
) -> Panel:
    """Candles with volume, from fields named open, high, low, close and volume; other fields as
    lines."""
    options = {
        "mode": "candles+volume",
        "candleStyle": "candles",
        "colorStrategy": "open-close",
        "colors": {"up": up, "down": down},
        "fields": {name: name for name in ("open", "high", "low", "close", "volume")},
        # Further numbers, such as moving averages, are drawn as lines.
        "includeAllFields": True,
        "legend": NO_LEGEND,
        "tooltip": {"mode": "multi", "sort": "none"},
    }
    return panel("candlestick", title, description, targets, defaults(unit, **field_options), options, overrides)


def trend(
    title: str,
    description: str,
    targets: list[Target],
    unit: str,
    x: str,
    overrides: Overrides | None = None,
    **field_options: Any,
) -> Panel:
    """Values over the ascending numbers of the field `x`, as steps."""
    custom = {"drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 2, "fillOpacity": 25}
    options = {"xField": x, "legend": BOTTOM_LEGEND, "tooltip": {"mode": "multi", "sort": "none"}}
    all_fields = defaults(unit, custom=custom, **field_options)
    return panel("trend", title, description, targets, all_fields, options, overrides)


def text_panel(title: str, markdown: str, description: str) -> Panel:
    """Markdown, without data. Has a description like every panel."""
    return {
        "type": "text",
        "title": title,
        "description": description,
        "targets": [],
        "options": {"mode": "markdown", "content": markdown},
    }
