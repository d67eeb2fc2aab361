"""Market overview, the home page: the whole market of a quote asset, and the price and trades of
one symbol."""

from grafana.generator.dashboard import INTERVAL, QUOTE_ASSET, SYMBOL, dashboard
from grafana.generator.fields import only, steps
from grafana.generator.palette import ACCENT, DOWN, GREY, PLAIN, UP
from grafana.generator.panels import bars, histogram, lines, ranking, stat, table
from grafana.generator.targets import CANDLES, NUMBER, TEXT, TIME, api, column

COLOUR_BY_SIGN = steps((None, DOWN), (0, UP))
OPEN_SYMBOL = {"title": "Open this symbol", "url": "/d/symbol?var-symbol=${symbol}&${__url_time_range}"}


def summary(*columns: dict) -> list[dict]:
    return [api("/market_summary", list(columns), quote_asset="${quote_asset}")]


def market_overview() -> dict:
    rows = [
        (4, [(8, breadth()), (5, volume()), (5, trades()), (6, last_update())]),
        (10, [(10, most_traded()), (14, price())]),
        (9, [(15, trade_count()), (9, trade_count_distribution())]),
        (10, [(12, movers("up")), (12, movers("down"))]),
    ]
    text = "The market of a quote asset at a glance, and price and trades of one symbol."
    return dashboard("market-overview", "Market overview", text, rows, [QUOTE_ASSET, SYMBOL, INTERVAL], "now-6h", "5s")


def breadth() -> dict:
    columns = [column(name.lower(), NUMBER, name) for name in ("Rising", "Falling", "Unchanged")]
    return stat(
        "How many symbols rise or fall",
        "Symbols of $quote_asset above, below and at their price of 24 hours ago. All zero: no statistics have "
        "come yet.",
        summary(*columns),
        "locale",
        only=[only("Rising", colour=UP), only("Falling", colour=DOWN), only("Unchanged", colour=GREY)],
    )


def volume() -> dict:
    return stat(
        "Volume in 24 h",
        "What was traded in all symbols of $quote_asset in 24 hours, in $quote_asset.",
        summary(column("quote_volume", NUMBER, "Volume")),
        "short",
        decimals=2,
        colour=PLAIN,
        text_mode="value",
    )


def trades() -> dict:
    return stat(
        "Trades in 24 h",
        "Trades in all symbols of $quote_asset in 24 hours.",
        summary(column("trade_count", NUMBER, "Trades")),
        "short",
        decimals=2,
        colour=PLAIN,
        text_mode="value",
    )


def last_update() -> dict:
    return stat(
        "Last update",
        "When the newest 24-hour statistics were taken. More than a minute ago: look at Pipeline health.",
        summary(column("updated_at", NUMBER, "Last update")),
        "dateTimeFromNow",
        colour=PLAIN,
        text_mode="value",
    )


def most_traded() -> dict:
    columns = [column("symbol", TEXT, "Symbol"), column("quote_volume", NUMBER, "Volume")]
    ask = api("/crypto_24h_stats", columns, sort="quote_volume", limit=10, quote_asset="${quote_asset}")
    return ranking(
        "Ten most traded",
        "The symbols of $quote_asset with the largest volume in 24 hours, in $quote_asset.",
        [ask],
        "short",
        names="Symbol",
        decimals=1,
        colour=PLAIN,
    )


def price() -> dict:
    columns = [column("open_time", TIME, "Time"), column("close_price", NUMBER, "Price")]
    return lines(
        "$symbol price",
        "Last price of every $interval. A line that ends early: no new candles arrive, look at Pipeline health.",
        [api("/klines", columns, "timeseries", **CANDLES)],
        "none",
        colour=PLAIN,
        links=[OPEN_SYMBOL],
    )


def trade_count() -> dict:
    columns = [column("open_time", TIME, "Time"), column("number_of_trades", NUMBER, "Trades")]
    return bars(
        "$symbol trades in each $interval",
        "How many trades each candle counts. The last bar is still growing.",
        [api("/klines", columns, "timeseries", **CANDLES)],
        "locale",
        decimals=0,
        colour=ACCENT,
    )


def trade_count_distribution() -> dict:
    columns = [column("number_of_trades", NUMBER, "Trades")]
    return histogram(
        "How often how many trades",
        "Candles of the bars on the left by their number of trades: a lone bar far to the right is an unusual "
        "$interval.",
        [api("/klines", columns, **CANDLES)],
        "locale",
        decimals=0,
        colour=ACCENT,
    )


def movers(direction: str) -> dict:
    order, word, first = ("desc", "up", "largest rise") if direction == "up" else ("asc", "down", "largest fall")
    columns = [
        column("symbol", TEXT, "Symbol"),
        column("last_price", NUMBER, "Price"),
        column("price_change_percent", NUMBER, "Change"),
        column("quote_volume", NUMBER, "Volume"),
    ]
    ask = api(
        "/crypto_24h_stats", columns, sort="price_change_percent", order=order, limit=10, quote_asset="${quote_asset}"
    )
    coloured = {"thresholds": COLOUR_BY_SIGN, "custom_cellOptions": {"type": "color-text"}}
    return table(
        f"Biggest moves {word}",
        f"The ten symbols of $quote_asset with the {first} in 24 hours.",
        [ask],
        ["Symbol", "Price", "Change", "Volume"],
        "none",
        only=[only("Change", unit="percent", decimals=2, **coloured), only("Volume", unit="short", decimals=1)],
    )
