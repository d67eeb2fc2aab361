"""Symbol: candles, order book and trades of one symbol."""

from grafana.generator.dashboard import INTERVAL, SYMBOL, dashboard
from grafana.generator.fields import override, threshold_steps, value_mappings
from grafana.generator.palette import ACCENT, DOWN, PLAIN, UP
from grafana.generator.panels import bar_chart, candlestick, line_chart, stat, table, trend
from grafana.generator.targets import CANDLES, FLAG, NUMBER, RANGE, TIME, api, column

SYMBOL_ONLY = {"symbol": "${symbol}"}
# More rows than the panel has pixels would only cost time.
LINE_PARAMETERS = {**SYMBOL_ONLY, **RANGE, "points": 500}
BAR_PARAMETERS = {**SYMBOL_ONLY, **RANGE, "points": 120}


def symbol() -> dict:
    rows = [
        (4, [(24, day())]),
        (13, [(16, price_candles()), (8, depth())]),
        (8, [(8, price()), (8, spread()), (8, imbalance())]),
        (10, [(12, buy_and_sell_volume()), (12, latest_trades())]),
    ]
    description = "Candles, order book and trades of one symbol."
    return dashboard("symbol", "Symbol", description, rows, [SYMBOL, INTERVAL], "now-3h", "5s")


def day() -> dict:
    columns = [
        column(selector, NUMBER, title)
        for selector, title in (
            ("last_price", "1 Price"),
            ("price_change_percent", "2 Change"),
            ("high_price", "3 High"),
            ("low_price", "4 Low"),
            ("volume", "5 Volume"),
            ("quote_volume", "6 Quote volume"),
            ("trade_count", "7 Trades"),
        )
    ]
    by_sign = {"color": {"mode": "thresholds"}, "thresholds": threshold_steps((None, DOWN), (0, UP))}
    overrides = [
        override("1 Price", displayName="Price"),
        override("2 Change", displayName="Change", unit="percent", decimals=2, **by_sign),
        override("3 High", displayName="High"),
        override("4 Low", displayName="Low"),
        override("5 Volume", displayName="Volume", unit="short", decimals=1),
        override("6 Quote volume", displayName="Quote volume", unit="short", decimals=1),
        override("7 Trades", displayName="Trades", unit="short", decimals=1),
    ]
    return stat(
        "$symbol in the last 24 hours",
        "The exchange's rolling statistics. Volume is in the base asset, quote volume in the quote asset.",
        [api("/crypto_24h_stats", columns, {**SYMBOL_ONLY, "limit": 1})],
        "none",
        colour=PLAIN,
        overrides=overrides,
    )


def price_candles() -> dict:
    columns = [column("open_time", TIME, "time"), column("volume", NUMBER)]
    columns += [column(f"{name}_price", NUMBER, name) for name in ("open", "high", "low", "close")]
    return candlestick(
        "$symbol candles of $interval",
        "Open, high, low and close, with the volume in the base asset. Blue: the price rose. Orange: it fell. The "
        "last candle is still open.",
        [api("/klines", columns, CANDLES, "timeseries")],
        "none",
        up=UP,
        down=DOWN,
        overrides=[override("volume", unit="short")],
    )


def depth() -> dict:
    titles = (("price", "Price"), ("bid_depth", "Bids"), ("ask_depth", "Asks"))
    columns = [column(selector, NUMBER, title) for selector, title in titles]
    return trend(
        "Order book depth",
        "Amount of the base asset that can be sold down to a price, or bought up to a price. The gap in the middle "
        "is the spread.",
        [api("/depth", columns, SYMBOL_ONLY)],
        "short",
        x="Price",
        overrides=[override("Bids", colour=UP), override("Asks", colour=DOWN), override("Price", unit="none")],
    )


def price() -> dict:
    columns = [column("updated_at", TIME, "Time"), column("price", NUMBER, "Price")]
    return line_chart(
        "Polled price",
        "Every change of the price since the pipeline was started (candles reach further back). If the line is flat "
        "at its end, no changes arrive.",
        [api("/latest_prices", columns, LINE_PARAMETERS, "timeseries")],
        "none",
        colour=PLAIN,
    )


def spread() -> dict:
    columns = [column("updated_at", TIME, "Time"), column("spread", NUMBER, "Spread")]
    return line_chart(
        "Spread",
        "Best ask minus best bid, in the quote asset. A wide spread means that few want to trade now.",
        [api("/order_book", columns, {**LINE_PARAMETERS, "levels": 1}, "timeseries")],
        "none",
        colour=ACCENT,
    )


def imbalance() -> dict:
    columns = [column("updated_at", TIME, "Time"), column("imbalance", NUMBER, "Imbalance")]
    return line_chart(
        "Imbalance of the order book",
        "Bid depth minus ask depth, as a share of their sum. Above 0, more orders wait to buy; below 0, to sell.",
        [api("/order_book", columns, {**LINE_PARAMETERS, "levels": 1}, "timeseries")],
        "percentunit",
        min=-1,
        max=1,
        colour=ACCENT,
    )


def buy_and_sell_volume() -> dict:
    columns = [
        column("trade_time", TIME, "Time"),
        column("buy_quantity", NUMBER, "Bought"),
        column("sell_quantity", NUMBER, "Sold"),
    ]
    return bar_chart(
        "Volume bought and sold",
        "Amount of the base asset that takers bought and sold; the sum is the volume.",
        [api("/recent_trades", columns, BAR_PARAMETERS, "timeseries")],
        "short",
        decimals=1,
        custom={"stacking": {"mode": "normal", "group": "A"}},
        overrides=[override("Bought", colour=UP), override("Sold", colour=DOWN)],
    )


def latest_trades() -> dict:
    columns = [
        column("trade_time", TIME, "Time"),
        column("price", NUMBER, "Price"),
        column("quantity", NUMBER, "Quantity"),
        column("is_buyer_maker", FLAG, "Side"),
    ]
    # The maker's order was already in the book: if the buyer is the maker, the taker sold.
    side = value_mappings(("true", "sold", DOWN), ("false", "bought", UP))
    return table(
        "Latest trades",
        "The newest 50 trades, newest first. The side is that of the taker.",
        [api("/recent_trades", columns, {**SYMBOL_ONLY, "limit": 50})],
        ["Time", "Side", "Price", "Quantity"],
        "none",
        newest_first="Time",
        overrides=[
            override("Side", mappings=side, custom_cellOptions={"type": "color-text"}),
            override("Time", unit="time:HH:mm:ss.SSS"),
        ],
    )
