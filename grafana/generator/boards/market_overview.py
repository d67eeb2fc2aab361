"""Market overview, the home page: the whole market of a quote asset, and price and trades of one
symbol."""

from grafana.generator.dashboard import INTERVAL, QUOTE_ASSET, SYMBOL, dashboard
from grafana.generator.fields import override, threshold_steps
from grafana.generator.palette import ACCENT, DOWN, GREY, PLAIN, UP
from grafana.generator.panels import bar_chart, histogram, horizontal_bars, line_chart, stat, table
from grafana.generator.targets import CANDLES, NUMBER, TEXT, TIME, api, column

COLOUR_BY_SIGN = threshold_steps((None, DOWN), (0, UP))
OPEN_SYMBOL = {"title": "Open this symbol", "url": "/d/symbol?var-symbol=${symbol:percentencode}&${__url_time_range}"}


def summary(*columns: dict) -> list[dict]:
    return [api("/market_summary", list(columns), {"quote_asset": "${quote_asset}"})]


def market_overview() -> dict:
    rows = [
        (4, [(8, breadth()), (5, volume()), (5, trades()), (6, last_update())]),
        (10, [(10, most_traded()), (14, price())]),
        (9, [(15, trade_count()), (9, trade_count_distribution())]),
        (10, [(12, movers("up")), (12, movers("down"))]),
    ]
    description = "The market of a quote asset at a glance, and price and trades of one symbol."
    return dashboard(
        "market-overview", "Market overview", description, rows, [QUOTE_ASSET, SYMBOL, INTERVAL], "now-6h", "5s"
    )


def breadth() -> dict:
    columns = [column(name.lower(), NUMBER, name) for name in ("Rising", "Falling", "Unchanged")]
    return stat(
        "How many symbols rise or fall",
        "Symbols of $quote_asset priced above, below and at their price of 24 hours ago. All zero: no statistics "
        "have arrived yet.",
        summary(*columns),
        "locale",
        overrides=[override("Rising", colour=UP), override("Falling", colour=DOWN), override("Unchanged", colour=GREY)],
    )


def volume() -> dict:
    return stat(
        "Volume in 24 h",
        "Traded volume of all symbols of $quote_asset in the last 24 hours, in $quote_asset.",
        summary(column("quote_volume", NUMBER, "Volume")),
        "short",
        decimals=2,
        colour=PLAIN,
        text_mode="value",
    )


def trades() -> dict:
    return stat(
        "Trades in 24 h",
        "Number of trades of all symbols of $quote_asset in the last 24 hours.",
        summary(column("trade_count", NUMBER, "Trades")),
        "short",
        decimals=2,
        colour=PLAIN,
        text_mode="value",
    )


def last_update() -> dict:
    return stat(
        "Last update",
        "Time of the newest 24-hour statistics. If it is more than a minute ago, look at Pipeline health.",
        summary(column("updated_at", NUMBER, "Last update")),
        "dateTimeFromNow",
        colour=PLAIN,
        text_mode="value",
    )


def most_traded() -> dict:
    columns = [column("symbol", TEXT, "Symbol"), column("quote_volume", NUMBER, "Volume")]
    top_ten = {"sort": "quote_volume", "limit": 10, "quote_asset": "${quote_asset}"}
    return horizontal_bars(
        "Ten most traded",
        "The symbols of $quote_asset with the largest volume in the last 24 hours, in $quote_asset.",
        [api("/crypto_24h_stats", columns, top_ten)],
        "short",
        names="Symbol",
        decimals=1,
        colour=PLAIN,
    )


def price() -> dict:
    columns = [column("open_time", TIME, "Time"), column("close_price", NUMBER, "Price")]
    return line_chart(
        "$symbol price",
        "Last price of every $interval. If the line ends early, no new candles arrive: look at Pipeline health.",
        [api("/klines", columns, CANDLES, "timeseries")],
        "none",
        colour=PLAIN,
        links=[OPEN_SYMBOL],
    )


def trade_count() -> dict:
    columns = [column("open_time", TIME, "Time"), column("number_of_trades", NUMBER, "Trades")]
    return bar_chart(
        "$symbol trades per $interval",
        "Number of trades of each candle. The last bar is still growing.",
        [api("/klines", columns, CANDLES, "timeseries")],
        "locale",
        decimals=0,
        colour=ACCENT,
    )


def trade_count_distribution() -> dict:
    columns = [column("number_of_trades", NUMBER, "Trades")]
    return histogram(
        "Distribution of the number of trades",
        "How many of the candles on the left have how many trades. A single bar far to the right is an unusual "
        "$interval.",
        [api("/klines", columns, CANDLES)],
        "locale",
        decimals=0,
        colour=ACCENT,
    )


def movers(direction: str) -> dict:
    order, what = ("desc", "largest rise") if direction == "up" else ("asc", "largest fall")
    columns = [
        column("symbol", TEXT, "Symbol"),
        column("last_price", NUMBER, "Price"),
        column("price_change_percent", NUMBER, "Change"),
        column("quote_volume", NUMBER, "Volume"),
    ]
    top_ten = {"sort": "price_change_percent", "order": order, "limit": 10, "quote_asset": "${quote_asset}"}
    coloured = {"thresholds": COLOUR_BY_SIGN, "custom_cellOptions": {"type": "color-text"}}
    return table(
        f"Biggest moves {direction}",
        f"The ten symbols of $quote_asset with the {what} in the last 24 hours.",
        [api("/crypto_24h_stats", columns, top_ten)],
        ["Symbol", "Price", "Change", "Volume"],
        "none",
        overrides=[
            override("Change", unit="percent", decimals=2, **coloured),
            override("Volume", unit="short", decimals=1),
        ],
    )
