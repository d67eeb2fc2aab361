"""Symbol: price, candles, order book and trades of one symbol."""

from grafana.generator.boards.data_source import data_source
from grafana.generator.boards.trades import trades_of_the_api
from grafana.generator.dashboard import HORIZON, INTERVAL, QUOTE_ASSET, SYMBOL, dashboard, hidden
from grafana.generator.fields import AMOUNT, BY_SIGN, EXACT, override
from grafana.generator.palette import ACCENT, DOWN, GOOD, NEUTRAL, PLAIN_TEXT, UP
from grafana.generator.panels import bar_chart, candlestick, line_chart, stat, trend
from grafana.generator.targets import CANDLES, NUMBER, RANGE, TEXT, TIME, api, column

SYMBOL_ONLY = {"symbol": "${symbol}"}
# A point per five pixels of a third of the screen, a bar per eight: the browser gets each row
# twice, in the response and in the frame that is made of it.
LINE_PARAMETERS = {**SYMBOL_ONLY, **RANGE, "points": 100}
BAR_PARAMETERS = {**SYMBOL_ONLY, **RANGE, "points": 60}


def symbol() -> dict:
    rows = [
        (5, [(9, price_now()), (6, day_range()), (6, day_volume()), (3, data_source())]),
        (13, [(24, price_candles())]),
        (10, [(8, depth()), (8, latest_trades()), (8, buy_and_sell_volume())]),
        (8, [(8, price()), (8, spread()), (8, imbalance())]),
    ]
    description = "Price, candles, order book and trades of one symbol."
    variables = [SYMBOL, INTERVAL, hidden(QUOTE_ASSET), hidden(HORIZON)]
    return dashboard("symbol", "Symbol", description, rows, variables, "now-3h", "5s")


# What the panels of the statistics show together, and those of the order book over time.
STATISTICS = (
    "last_price_text",
    "price_change_percent",
    "high_price_text",
    "low_price_text",
    "volume",
    "quote_volume",
    "trade_count",
)
BOOK = ("updated_at", "spread_bps", "imbalance")


def statistics(*columns: dict) -> list[dict]:
    return [api("/crypto_24h_stats", list(columns), {**SYMBOL_ONLY, "limit": 1}, fields=STATISTICS)]


def books(*columns: dict) -> list[dict]:
    return [api("/order_book", list(columns), LINE_PARAMETERS, "timeseries", fields=BOOK)]


def price_now() -> dict:
    columns = [column("last_price_text", TEXT, "1 Price"), column("price_change_percent", NUMBER, "2 Change in 24 h")]
    return stat(
        "$symbol",
        "The last price in the quote asset, and its change against the price of 24 hours ago.",
        statistics(*columns),
        **EXACT,
        colour=PLAIN_TEXT,
        overrides=[
            override("1 Price", displayName="Price"),
            override("2 Change in 24 h", displayName="Change in 24 h", unit="percent", decimals=2, **BY_SIGN),
        ],
    )


def day_range() -> dict:
    return stat(
        "Range in 24 h",
        "Highest and lowest price of the last 24 hours.",
        statistics(column("high_price_text", TEXT, "High"), column("low_price_text", TEXT, "Low")),
        **EXACT,
        colour=PLAIN_TEXT,
    )


def day_volume() -> dict:
    columns = [
        column("volume", NUMBER, "1 Volume"),
        column("quote_volume", NUMBER, "2 Quote volume"),
        column("trade_count", NUMBER, "3 Trades"),
    ]
    return stat(
        "Traded in 24 h",
        "The exchange's rolling statistics. Volume is in the base asset, quote volume in the quote asset.",
        statistics(*columns),
        **AMOUNT,
        colour=PLAIN_TEXT,
        overrides=[
            override("1 Volume", displayName="Volume"),
            override("2 Quote volume", displayName="Quote volume"),
            override("3 Trades", displayName="Trades"),
        ],
    )


def price_candles() -> dict:
    columns = [column("open_time", TIME, "time"), column("volume", NUMBER)]
    columns += [column(f"{name}_price", NUMBER, name) for name in ("open", "high", "low", "close")]
    columns += [column("ma_7", NUMBER, "MA 7"), column("ma_25", NUMBER, "MA 25")]
    line = {"custom_drawStyle": "line", "custom_lineWidth": 1, "custom_fillOpacity": 0, "custom_showPoints": "never"}
    return candlestick(
        "$symbol candles of $interval",
        "Open, high, low and close, with the volume in the base asset. Blue: the price rose. Orange: it fell. The "
        "last candle is still open. The lines are the averages of the last 7 (purple) and 25 (green) closes.",
        [api("/klines", columns, CANDLES, "timeseries")],
        **EXACT,
        up=UP,
        down=DOWN,
        overrides=[
            override("volume", **AMOUNT),
            override("MA 7", colour=ACCENT, **line),
            override("MA 25", colour=GOOD, **line),
        ],
    )


def depth() -> dict:
    columns = [
        column("bid_depth", NUMBER, "1 Bids"),
        column("ask_depth", NUMBER, "2 Asks"),
        column("price", NUMBER, "Price"),
    ]
    return trend(
        "Order book depth",
        "Amount of the base asset that can be sold down to a price, or bought up to a price. The gap in the middle "
        "is the spread. Without an order book, Grafana says that it finds no field Price.",
        [api("/depth", columns, SYMBOL_ONLY)],
        **AMOUNT,
        min=0,
        x="Price",
        overrides=[
            # The depth of a bid holds down to its price, that of an ask up to its price.
            override("1 Bids", displayName="Bids", colour=UP, custom_lineInterpolation="stepBefore"),
            override("2 Asks", displayName="Asks", colour=DOWN),
            override("Price", **EXACT),
        ],
    )


def price() -> dict:
    columns = [column("price", NUMBER, "Price"), column("updated_at", TIME, "Time")]
    return line_chart(
        "Polled price",
        "Every change of the price since the pipeline was started (candles reach further back). If the line is flat "
        "at its end, no changes arrive.",
        [api("/latest_prices", columns, LINE_PARAMETERS, "timeseries")],
        **EXACT,
        colour=NEUTRAL,
    )


def spread() -> dict:
    return line_chart(
        "Spread in basis points",
        "Best ask minus best bid, in hundredths of a percent of the price between them. A wide spread means that few "
        "want to trade now.",
        books(column("spread_bps", NUMBER, "Spread"), column("updated_at", TIME, "Time")),
        "suffix:bp",
        decimals=4,
        min=0,
        colour=ACCENT,
    )


def imbalance() -> dict:
    return line_chart(
        "Imbalance of the order book",
        "Bid depth minus ask depth, as a share of their sum. Above 0, more orders wait to buy; below 0, to sell.",
        books(column("imbalance", NUMBER, "Imbalance"), column("updated_at", TIME, "Time")),
        "percentunit",
        decimals=1,
        min=-1,
        max=1,
        colour=ACCENT,
    )


def buy_and_sell_volume() -> dict:
    columns = [
        column("buy_quantity", NUMBER, "Bought"),
        column("sell_quantity", NUMBER, "Sold"),
        column("trade_time", TIME, "Time"),
    ]
    return bar_chart(
        "Volume bought and sold",
        "Amount of the base asset that takers bought and sold; the sum is the volume.",
        [api("/recent_trades", columns, BAR_PARAMETERS, "timeseries")],
        **AMOUNT,
        custom={"stacking": {"mode": "normal", "group": "A"}},
        overrides=[override("Bought", colour=UP), override("Sold", colour=DOWN)],
    )


def latest_trades() -> dict:
    return trades_of_the_api("Latest trades", "The newest 25 trades, newest first. The side is that of the taker.")
