"""Forecast: the price range that the forecast volatility implies, and how good the forecasts
were."""

from grafana.generator.boards.data_source import data_source
from grafana.generator.dashboard import HORIZON, INTERVAL, QUOTE_ASSET, SYMBOL, dashboard, hidden
from grafana.generator.fields import EXACT, override, override_matching, threshold_steps, value_mappings
from grafana.generator.palette import ACCENT, BAD, DOWN, DOWN_TEXT, GOOD, NEUTRAL, PLAIN_TEXT, UP, UP_TEXT
from grafana.generator.panels import line_chart, stat, table
from grafana.generator.targets import FLAG, NUMBER, RANGE, TEXT, TIME, api, column

NOT_ADVICE = " Not trading advice."
FORECASTS = {"symbol": "${symbol}", "horizon": "${horizon}"}
# A point per five pixels: of the whole width, and of half of it.
WIDE_POINTS, POINTS = 250, 120
LINE_PARAMETERS = {**FORECASTS, **RANGE, "points": POINTS}
# What the panels of the newest forecast show together, and those of the forecasts over time.
NEWEST = (
    "price_text",
    "lower_price_text",
    "upper_price_text",
    "volatility",
    "recent_qlike_ratio",
    "recent_coverage",
    "model",
)
OVER_TIME = ("made_at", "volatility", "realized_volatility", "recent_qlike_ratio", "recent_coverage")


def forecast() -> dict:
    rows = [
        (5, [(9, now()), (8, quality()), (4, model()), (3, data_source())]),
        (12, [(24, price_range())]),
        (9, [(12, volatility()), (12, score())]),
        (9, [(12, coverage()), (12, latest())]),
    ]
    description = "How far the price may move, as forecast from past volatility, and how good the forecasts were."
    variables = [SYMBOL, HORIZON, hidden(INTERVAL), hidden(QUOTE_ASSET)]
    # The end lies ahead, because the range does.
    return dashboard("forecast", "Forecast", description, rows, variables, "now-6h", "30s", end="now+1h")


def newest(*columns: dict) -> list[dict]:
    return [api("/forecasts", list(columns), {**FORECASTS, "limit": 1}, fields=NEWEST)]


def over_time(*columns: dict) -> list[dict]:
    return [api("/forecasts", list(columns), LINE_PARAMETERS, "timeseries", fields=OVER_TIME)]


def now() -> dict:
    columns = [
        column("price_text", TEXT, "1 Price"),
        column("lower_price_text", TEXT, "2 Low"),
        column("upper_price_text", TEXT, "3 High"),
    ]
    return stat(
        "$symbol in the next $horizon",
        "The newest forecast: the price in $horizon lies between low and high in 90 % of the cases." + NOT_ADVICE,
        newest(*columns),
        **EXACT,
        colour=PLAIN_TEXT,
        overrides=[
            override("1 Price", displayName="Price"),
            override("2 Low", displayName="Low"),
            override("3 High", displayName="High"),
        ],
    )


def quality() -> dict:
    columns = [
        column("volatility", NUMBER, "1 Volatility"),
        column("recent_qlike_ratio", NUMBER, "2 Score"),
        column("recent_coverage", NUMBER, "3 Coverage"),
    ]
    below_one = {"color": {"mode": "thresholds"}, "thresholds": threshold_steps((None, UP_TEXT), (1, DOWN_TEXT))}
    return stat(
        "Volatility, and quality of the forecasts",
        "The newest forecast of the volatility over $horizon. Score and coverage are those of the last day. Below 1 "
        "the forecasts are better than naive ones." + NOT_ADVICE,
        newest(*columns),
        "percentunit",
        decimals=2,
        colour=PLAIN_TEXT,
        overrides=[
            override("1 Volatility", displayName="Volatility"),
            override("2 Score", displayName="Score, below 1 is good", unit="none", **below_one),
            override("3 Coverage", displayName="Coverage", decimals=1),
        ],
    )


def model() -> dict:
    return stat(
        "Model",
        "The model that made the newest forecast; a moving average while its forecasts are worse than naive.",
        newest(column("model", TEXT, "Model")),
        "string",
        text_mode="value",
        colour=PLAIN_TEXT,
    )


def price_range() -> dict:
    price = [column("close_price", NUMBER, "Price"), column("open_time", TIME, "Time")]
    # At the time for which the range was forecast, so that the newest part lies ahead of the price.
    ends = [
        column("upper_price", NUMBER, "High"),
        column("lower_price", NUMBER, "Low"),
        column("closes_at", TIME, "Time"),
    ]
    return line_chart(
        "$symbol price and forecast range",
        "The grey range was forecast $horizon earlier; the price should leave it in 10 % of the minutes. It says how "
        "far the price may move, not in which direction." + NOT_ADVICE,
        [
            api("/klines", price, {"symbol": "${symbol}", **RANGE, "points": WIDE_POINTS}, "timeseries"),
            api("/forecasts", ends, {**LINE_PARAMETERS, "points": WIDE_POINTS}, "timeseries", ref="B"),
        ],
        **EXACT,
        custom={"fillOpacity": 0},
        overrides=[
            override("Price", colour=ACCENT),
            # Both are edges of one range.
            override_matching("^(High|Low)$", colour=NEUTRAL, custom_lineWidth=1),
            override("High", custom_fillBelowTo="Low", custom_fillOpacity=12),
        ],
    )


def volatility() -> dict:
    columns = [
        column("volatility", NUMBER, "Forecast"),
        column("realized_volatility", NUMBER, "Realized"),
        column("made_at", TIME, "Time"),
    ]
    return line_chart(
        "Forecast and realized volatility",
        "Standard deviation of the price change over $horizon, both at the time of the forecast. The forecast is "
        "good when it follows the level of the other line; single peaks cannot be foreseen." + NOT_ADVICE,
        over_time(*columns),
        "percentunit",
        decimals=2,
        min=0,
        overrides=[override("Forecast", colour=UP), override("Realized", colour=DOWN)],
    )


def score() -> dict:
    columns = [column("recent_qlike_ratio", NUMBER, "Score"), column("made_at", TIME, "Time")]
    return line_chart(
        "Score against naive, last day",
        "Loss (QLIKE) of the forecasts relative to the naive forecast, which repeats the last window. Below 1 is "
        "better than naive; above 1 the program falls back to a moving average." + NOT_ADVICE,
        over_time(*columns),
        "none",
        min=0,
        decimals=2,
        colour=ACCENT,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        thresholds=threshold_steps((None, GOOD), (1, BAD)),
    )


def coverage() -> dict:
    columns = [column("recent_coverage", NUMBER, "Coverage"), column("made_at", TIME, "Time")]
    return line_chart(
        "Coverage of the range, last day",
        "Share of the windows that closed inside their range; should be 90 %. Lower: the range was too narrow. Higher: "
        "too wide." + NOT_ADVICE,
        over_time(*columns),
        "percentunit",
        min=0.7,
        max=1,
        decimals=0,
        colour=ACCENT,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        thresholds=threshold_steps((None, NEUTRAL), (0.9, GOOD)),
    )


def latest() -> dict:
    columns = [
        column("made_at", NUMBER, "Made"),
        column("closes_at", TIME, "Closes"),
        column("lower_price_text", TEXT, "Low"),
        column("upper_price_text", TEXT, "High"),
        column("close_price_text", TEXT, "Close"),
        column("hit", FLAG, "Inside"),
    ]
    inside = value_mappings(("true", "yes", UP_TEXT), ("false", "no", DOWN_TEXT))
    price = {"custom_minWidth": 90, "custom_align": "right"}
    return table(
        "Latest forecasts",
        "The newest 120 forecasts, newest first. Close and inside are empty until the window has closed." + NOT_ADVICE,
        [api("/forecasts", columns, {**FORECASTS, "limit": 120})],
        ["Closes", "Low", "High", "Close", "Inside"],
        **EXACT,
        newest_first="Made",
        overrides=[
            override("Closes", unit="time:HH:mm", custom_minWidth=55),
            override("Low", **price),
            override("High", **price),
            override("Close", noValue="", **price),
            override(
                "Inside", mappings=inside, noValue="", custom_cellOptions={"type": "color-text"}, custom_minWidth=55
            ),
        ],
    )
