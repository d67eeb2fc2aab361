"""Forecast: the price range that the forecast volatility implies, and how good the forecasts
were."""

from grafana.generator.dashboard import HORIZON, SYMBOL, dashboard
from grafana.generator.fields import override, threshold_steps, value_mappings
from grafana.generator.palette import ACCENT, BAD, DOWN, GOOD, GREY, PLAIN, UP
from grafana.generator.panels import line_chart, stat, table
from grafana.generator.targets import FLAG, NUMBER, RANGE, TEXT, TIME, api, column

NOT_ADVICE = " Not trading advice."
FORECASTS = {"symbol": "${symbol}", "horizon": "${horizon}"}
# More rows than the panel has pixels would only cost time.
LINE_PARAMETERS = {**FORECASTS, **RANGE, "points": 500}


def forecast() -> dict:
    rows = [
        (4, [(24, now())]),
        (12, [(24, price_range())]),
        (9, [(12, volatility()), (12, score())]),
        (9, [(8, coverage()), (16, latest())]),
    ]
    description = "How far the price may move, as forecast from past volatility, and how good the forecasts were."
    # The end lies ahead, because the range does.
    return dashboard("forecast", "Forecast", description, rows, [SYMBOL, HORIZON], "now-6h", "30s", end="now+1h")


def now() -> dict:
    columns = [
        column(selector, NUMBER, title)
        for selector, title in (
            ("price", "1 Price"),
            ("lower_price", "2 Low"),
            ("upper_price", "3 High"),
            ("volatility", "4 Volatility"),
            ("recent_qlike_ratio", "5 Score"),
            ("recent_coverage", "6 Coverage"),
        )
    ]
    below_one = {"color": {"mode": "thresholds"}, "thresholds": threshold_steps((None, GOOD), (1, BAD))}
    overrides = [
        override("1 Price", displayName="Price"),
        override("2 Low", displayName="Low"),
        override("3 High", displayName="High"),
        override("4 Volatility", displayName="Volatility", unit="percentunit", decimals=2),
        override("5 Score", displayName="Score, below 1 is good", decimals=2, **below_one),
        override("6 Coverage", displayName="Coverage", unit="percentunit", decimals=1),
    ]
    return stat(
        "$symbol in the next $horizon",
        "The newest forecast: the price in $horizon lies between low and high in 90 % of the cases. Score and coverage "
        "are those of the last day." + NOT_ADVICE,
        [api("/forecasts", columns, {**FORECASTS, "limit": 1})],
        "none",
        colour=PLAIN,
        overrides=overrides,
    )


def price_range() -> dict:
    price = [column("open_time", TIME, "Time"), column("close_price", NUMBER, "Price")]
    # At the time for which the range was forecast, so that the newest part lies ahead of the price.
    ends = [
        column("closes_at", TIME, "Time"),
        column("lower_price", NUMBER, "Low"),
        column("upper_price", NUMBER, "High"),
    ]
    edge = {"custom_lineWidth": 1, "custom_fillOpacity": 12, "colour": GREY}
    return line_chart(
        "$symbol price, and the range forecast $horizon before",
        "The grey range was forecast $horizon earlier; the price should leave it in 10 % of the minutes. It says how "
        "far the price may move, not in which direction." + NOT_ADVICE,
        [
            api("/klines", price, {"symbol": "${symbol}", **RANGE, "points": 500}, "timeseries"),
            api("/forecasts", ends, LINE_PARAMETERS, "timeseries", ref="B"),
        ],
        "none",
        custom={"fillOpacity": 0},
        overrides=[
            override("Price", colour=PLAIN),
            override("Low", **{**edge, "custom_fillOpacity": 0}),
            override("High", custom_fillBelowTo="Low", **edge),
        ],
    )


def volatility() -> dict:
    columns = [
        column("made_at", TIME, "Time"),
        column("volatility", NUMBER, "Forecast"),
        column("realized_volatility", NUMBER, "Realized"),
    ]
    return line_chart(
        "Forecast and realized volatility",
        "Standard deviation of the price change over $horizon, both at the time of the forecast. The forecast is "
        "good when it follows the level of the other line; single peaks cannot be foreseen." + NOT_ADVICE,
        [api("/forecasts", columns, LINE_PARAMETERS, "timeseries")],
        "percentunit",
        min=0,
        overrides=[override("Forecast", colour=UP), override("Realized", colour=DOWN)],
    )


def score() -> dict:
    columns = [column("made_at", TIME, "Time"), column("recent_qlike_ratio", NUMBER, "Score")]
    return line_chart(
        "Score against naive, last day",
        "Loss (QLIKE) of the forecasts relative to the naive forecast, which repeats the last window. Below 1 is "
        "better than naive; above 1 the program falls back to a moving average." + NOT_ADVICE,
        [api("/forecasts", columns, LINE_PARAMETERS, "timeseries")],
        "none",
        min=0,
        decimals=2,
        colour=ACCENT,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        thresholds=threshold_steps((None, GOOD), (1, BAD)),
    )


def coverage() -> dict:
    columns = [column("made_at", TIME, "Time"), column("recent_coverage", NUMBER, "Coverage")]
    return line_chart(
        "Coverage of the range, last day",
        "Share of the windows that closed inside their range; should be 90 %. Lower: the range was too narrow. Higher: "
        "too wide." + NOT_ADVICE,
        [api("/forecasts", columns, LINE_PARAMETERS, "timeseries")],
        "percentunit",
        min=0.7,
        max=1,
        decimals=0,
        colour=PLAIN,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        thresholds=threshold_steps((None, GREY), (0.9, GOOD)),
    )


def latest() -> dict:
    columns = [
        column("made_at", TIME, "Made"),
        column("closes_at", TIME, "Closes"),
        column("model", TEXT, "Model"),
        column("price", NUMBER, "Price"),
        column("lower_price", NUMBER, "Low"),
        column("upper_price", NUMBER, "High"),
        column("close_price", NUMBER, "Close"),
        column("hit", FLAG, "Inside"),
    ]
    inside = value_mappings(("true", "yes", GOOD), ("false", "no", DOWN))
    return table(
        "Latest forecasts",
        "The newest 120 forecasts, newest first. Close and inside are empty until the window has closed." + NOT_ADVICE,
        [api("/forecasts", columns, {**FORECASTS, "limit": 120})],
        ["Made", "Closes", "Model", "Price", "Low", "High", "Close", "Inside"],
        "none",
        newest_first="Made",
        overrides=[
            override("Inside", mappings=inside, noValue="", custom_cellOptions={"type": "color-text"}),
            override("Close", noValue=""),
            override("Made", unit="time:HH:mm"),
            override("Closes", unit="time:HH:mm"),
        ],
    )
