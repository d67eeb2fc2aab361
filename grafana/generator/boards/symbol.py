"""Symbol: everything about one symbol."""

from grafana.generator.dashboard import INTERVAL, SYMBOL, dashboard
from grafana.generator.fields import only, steps, texts
from grafana.generator.palette import ACCENT, DOWN, PLAIN, UP
from grafana.generator.panels import bars, candles, curves, lines, stat, table
from grafana.generator.targets import CANDLES, FLAG, NUMBER, RANGE, TIME, api, column

SYMBOL_ONLY = {"symbol": "${symbol}"}
# More rows than a panel has pixels would only cost time.
LINE = {**SYMBOL_ONLY, **RANGE, "points": 500}
BARS = {**SYMBOL_ONLY, **RANGE, "points": 120}


def symbol() -> dict:
    rows = [
        (4, [(24, day())]),
        (13, [(16, price_candles()), (8, depth())]),
        (8, [(8, price()), (8, spread()), (8, imbalance())]),
        (10, [(12, buy_and_sell_volume()), (12, latest_trades())]),
    ]
    text = "Candles, order book and trades of one symbol."
    return dashboard("symbol", "Symbol", text, rows, [SYMBOL, INTERVAL], "now-3h", "5s")


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
    by_sign = {"color": {"mode": "thresholds"}, "thresholds": steps((None, DOWN), (0, UP))}
    shown = [
        only("1 Price", displayName="Price"),
        only("2 Change", displayName="Change", unit="percent", decimals=2, **by_sign),
        only("3 High", displayName="High"),
        only("4 Low", displayName="Low"),
        only("5 Volume", displayName="Volume", unit="short", decimals=1),
        only("6 Quote volume", displayName="Quote volume", unit="short", decimals=1),
        only("7 Trades", displayName="Trades", unit="short", decimals=1),
    ]
    return stat(
        "$symbol in the last 24 hours",
        "The exchange's rolling statistics. Volume is in the base asset, quote volume in the quote asset.",
        [api("/crypto_24h_stats", columns, **SYMBOL_ONLY, limit=1)],
        "none",
        colour=PLAIN,
        only=shown,
    )


def price_candles() -> dict:
    columns = [column("open_time", TIME, "time"), column("volume", NUMBER)]
    columns += [column(f"{name}_price", NUMBER, name) for name in ("open", "high", "low", "close")]
    return candles(
        "$symbol candles of $interval",
        "Open, high, low and close with the volume in the base asset: blue rose, orange fell. The last candle is "
        "still open.",
        [api("/klines", columns, "timeseries", **CANDLES)],
        "none",
        up=UP,
        down=DOWN,
        only=[only("volume", unit="short")],
    )


def depth() -> dict:
    titles = (("price", "Price"), ("bid_depth", "Bids"), ("ask_depth", "Asks"))
    columns = [column(selector, NUMBER, title) for selector, title in titles]
    return curves(
        "Order book depth",
        "How much of the base asset can be sold down to, or bought up to, a price. The gap in the middle is the "
        "spread.",
        [api("/depth", columns, **SYMBOL_ONLY)],
        "short",
        x="Price",
        only=[only("Bids", colour=UP), only("Asks", colour=DOWN), only("Price", unit="none")],
    )


def price() -> dict:
    columns = [column("updated_at", TIME, "Time"), column("price", NUMBER, "Price")]
    return lines(
        "Price as it was polled",
        "Every change of the price since the pipeline runs (candles reach further back). A flat end: no changes "
        "arrive.",
        [api("/latest_prices", columns, "timeseries", **LINE)],
        "none",
        colour=PLAIN,
    )


def spread() -> dict:
    columns = [column("updated_at", TIME, "Time"), column("spread", NUMBER, "Spread")]
    return lines(
        "Spread",
        "Best ask less best bid, in the quote asset. Wide means that few want to trade now.",
        [api("/order_book", columns, "timeseries", **LINE, levels=1)],
        "none",
        colour=ACCENT,
    )


def imbalance() -> dict:
    columns = [column("updated_at", TIME, "Time"), column("imbalance", NUMBER, "Imbalance")]
    return lines(
        "Imbalance of the order book",
        "Depth of bids less that of asks, as a share of both: above 0 more wait to buy, below 0 to sell.",
        [api("/order_book", columns, "timeseries", **LINE, levels=1)],
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
    return bars(
        "Volume bought and sold",
        "Base asset that takers bought and sold; both together are the volume.",
        [api("/recent_trades", columns, "timeseries", **BARS)],
        "short",
        decimals=1,
        custom={"stacking": {"mode": "normal", "group": "A"}},
        only=[only("Bought", colour=UP), only("Sold", colour=DOWN)],
    )


def latest_trades() -> dict:
    columns = [
        column("trade_time", TIME, "Time"),
        column("price", NUMBER, "Price"),
        column("quantity", NUMBER, "Quantity"),
        column("is_buyer_maker", FLAG, "Side"),
    ]
    # The maker waited in the book, so a buyer that is the maker was sold to.
    side = texts(("true", "sold", DOWN), ("false", "bought", UP))
    return table(
        "Latest trades",
        "The newest 50 trades, newest first, with what the taker did.",
        [api("/recent_trades", columns, **SYMBOL_ONLY, limit=50)],
        ["Time", "Side", "Price", "Quantity"],
        "none",
        newest_first="Time",
        only=[
            only("Side", mappings=side, custom_cellOptions={"type": "color-text"}),
            only("Time", unit="time:HH:mm:ss.SSS"),
        ],
    )
