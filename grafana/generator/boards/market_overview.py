"""Market overview, the home page: the whole market of a quote asset, the tracked symbols, and price
and trades of one symbol."""

from grafana.generator.boards.data_source import data_source
from grafana.generator.dashboard import HORIZON, INTERVAL, QUOTE_ASSET, SYMBOL, dashboard, hidden
from grafana.generator.fields import AMOUNT, BY_SIGN, EXACT, override, override_matching
from grafana.generator.palette import ACCENT, DOWN, NEUTRAL, PLAIN_TEXT, UP
from grafana.generator.panels import bar_chart, histogram, horizontal_bars, line_chart, stat, table
from grafana.generator.targets import CANDLES, NUMBER, RANGE, TEXT, TIME, api, column

COLOURED_BY_SIGN = {**BY_SIGN, "custom_cellOptions": {"type": "color-text"}}
REST_OF_LINK = "&${interval:queryparam}&${quote_asset:queryparam}&${horizon:queryparam}&${__url_time_range}"
OPEN_SYMBOL = {
    "title": "Open this symbol",
    "url": "/d/symbol?${symbol:queryparam}" + REST_OF_LINK,
}
OPEN_SYMBOL_OF_ROW = {
    "title": "Open ${__value.text}",
    "url": "/d/symbol?var-symbol=${__value.raw:percentencode}" + REST_OF_LINK,
}
# The interval of the sparklines: about 24 candles, which is all that a cell can show.
SPARK = hidden({**INTERVAL, "name": "spark", "label": "Interval of sparklines", "auto_count": 24}) | {
    "options": [{"selected": True, "text": "auto", "value": "$__auto_interval_spark"}],
    "current": {"selected": True, "text": "auto", "value": "$__auto_interval_spark"},
    "skipUrlSync": True,
}


# What the panels of the market show together, and those of the candles of one symbol.
SUMMARY = ("quote_asset", "quote_volume", "trade_count", "rising", "unchanged", "falling")
CANDLE = ("open_time", "close_price", "number_of_trades")


def summary(*columns: dict) -> list[dict]:
    return [api("/market_summary", list(columns), {"quote_asset": "${quote_asset}"}, fields=SUMMARY)]


def candles(*columns: dict) -> list[dict]:
    return [api("/klines", list(columns), CANDLES, "timeseries", fields=CANDLE)]


def market_overview() -> dict:
    rows = [
        (5, [(4, data_source()), (5, volume()), (5, trades()), (10, breadth())]),
        (10, [(14, watch_list()), (10, most_traded())]),
        (9, [(12, price()), (12, trade_count())]),
        (12, [(8, changes()), (8, movers("up")), (8, movers("down"))]),
    ]
    description = "The market of a quote asset at a glance, the tracked symbols, and price and trades of one symbol."
    variables = [QUOTE_ASSET, SYMBOL, INTERVAL, SPARK, hidden(HORIZON)]
    return dashboard("market-overview", "Market overview", description, rows, variables, "now-6h", "5s")


def volume() -> dict:
    return stat(
        "Volume in 24 h",
        "Traded volume of all symbols of $quote_asset in the last 24 hours, in $quote_asset.",
        summary(column("quote_volume", NUMBER, "Volume")),
        **AMOUNT,
        colour=PLAIN_TEXT,
        text_mode="value",
    )


def trades() -> dict:
    return stat(
        "Trades in 24 h",
        "Number of trades of all symbols of $quote_asset in the last 24 hours.",
        summary(column("trade_count", NUMBER, "Trades")),
        **AMOUNT,
        colour=PLAIN_TEXT,
        text_mode="value",
    )


def breadth() -> dict:
    columns = [
        column("rising", NUMBER, "1 Rising"),
        column("unchanged", NUMBER, "2 Unchanged"),
        column("falling", NUMBER, "3 Falling"),
        column("quote_asset", TEXT, "Quote asset"),
    ]
    return horizontal_bars(
        "How many symbols rise or fall",
        "Symbols of $quote_asset priced above, at and below their price of 24 hours ago.",
        summary(*columns),
        "locale",
        names="Quote asset",
        stacked=True,
        decimals=0,
        overrides=[
            override("1 Rising", displayName="Rising", colour=UP),
            override("2 Unchanged", displayName="Unchanged", colour=NEUTRAL),
            override("3 Falling", displayName="Falling", colour=DOWN),
        ],
    )


def watch_list() -> dict:
    course = [
        column("open_time", TIME, "Time"),
        column("close_price", NUMBER, "Price"),
        column("symbol", TEXT, "Symbol"),
    ]
    statistics = [
        column("last_price_text", TEXT, "1 Price"),
        column("price_change_percent", NUMBER, "2 Change"),
        column("quote_volume", NUMBER, "3 Volume"),
        column("symbol", TEXT, "Symbol"),
    ]
    of_range = {"interval": "${spark}", **RANGE, "limit": 5000}
    ranked = {"tracked": "true", "sort": "quote_volume", "limit": 50}
    # The joined columns are called like the field and the letter of its query: `1 Price S`.
    to_rows = {"id": "timeSeriesTable", "options": {"A": {"timeField": "Time"}}}
    joined = {"id": "joinByField", "options": {"byField": "Symbol", "mode": "outer"}}
    sparkline = {"type": "sparkline", "hideValue": True, "drawStyle": "line", "lineWidth": 1, "fillOpacity": 10}
    return table(
        "Watch list",
        "The tracked symbols, most traded first, with their course over the time range. A click on a symbol opens it.",
        [api("/klines", course, of_range, "timeseries"), api("/crypto_24h_stats", statistics, ranked, ref="S")],
        [],
        **EXACT,
        transformations=[to_rows, joined],
        overrides=[
            override("Symbol", custom_minWidth=95, links=[OPEN_SYMBOL_OF_ROW]),
            override_matching("^1 Price", displayName="Price", custom_minWidth=90, custom_align="right"),
            override_matching(
                "^2 Change", displayName="Change", unit="percent", decimals=2, custom_minWidth=70, **COLOURED_BY_SIGN
            ),
            override_matching("^3 Volume", displayName="Volume", custom_minWidth=65, **AMOUNT),
            override_matching("^Trend", displayName="Course", colour=NEUTRAL, custom_cellOptions=sparkline),
        ],
    )


def most_traded() -> dict:
    columns = [column("quote_volume", NUMBER, "1 Volume"), column("symbol", TEXT, "Symbol")]
    top_ten = {"sort": "quote_volume", "limit": 10, "quote_asset": "${quote_asset}"}
    return horizontal_bars(
        "Ten most traded",
        "The symbols of $quote_asset with the largest volume in the last 24 hours, in $quote_asset.",
        [api("/crypto_24h_stats", columns, top_ten)],
        **AMOUNT,
        names="Symbol",
        overrides=[override("1 Volume", displayName="Volume", colour=NEUTRAL)],
    )


def price() -> dict:
    return line_chart(
        "$symbol price",
        "Last price of every $interval. If the line ends early, no new candles arrive: look at Pipeline health.",
        candles(column("close_price", NUMBER, "Price"), column("open_time", TIME, "Time")),
        **EXACT,
        colour=NEUTRAL,
        links=[OPEN_SYMBOL],
    )


def trade_count() -> dict:
    return bar_chart(
        "$symbol trades per $interval",
        "Number of trades of each candle. The last bar is still growing.",
        candles(column("open_time", TIME, "Time"), column("number_of_trades", NUMBER, "Trades")),
        "locale",
        decimals=0,
        colour=ACCENT,
    )


def changes() -> dict:
    columns = [column("price_change_percent", NUMBER, "Change")]
    return histogram(
        "Distribution of the changes in 24 h",
        "How many symbols of $quote_asset changed by how much in the last 24 hours. The further right the hill, the "
        "better the market's day. Without statistics, Grafana says that it finds no histogram.",
        [api("/crypto_24h_stats", columns, {"quote_asset": "${quote_asset}", "limit": 5000})],
        "percent",
        decimals=1,
        colour=ACCENT,
    )


def movers(direction: str) -> dict:
    order, what = ("desc", "largest rise") if direction == "up" else ("asc", "largest fall")
    columns = [
        column("symbol", TEXT, "Symbol"),
        column("last_price_text", TEXT, "Price"),
        column("price_change_percent", NUMBER, "Change"),
        column("quote_volume", NUMBER, "Volume"),
    ]
    top_ten = {"sort": "price_change_percent", "order": order, "limit": 10, "quote_asset": "${quote_asset}"}
    return table(
        f"Biggest moves {direction}",
        f"The ten symbols of $quote_asset with the {what} in the last 24 hours.",
        [api("/crypto_24h_stats", columns, top_ten)],
        ["Symbol", "Price", "Change", "Volume"],
        **EXACT,
        overrides=[
            override("Symbol", custom_minWidth=105),
            override("Price", custom_minWidth=95, custom_align="right"),
            override("Change", unit="percent", decimals=2, custom_minWidth=75, **COLOURED_BY_SIGN),
            override("Volume", custom_minWidth=75, **AMOUNT),
        ],
    )
