"""Live: one symbol as its changes come, pushed over a WebSocket, and beside each panel the same
from the API for what was before: a stream begins when the page is opened."""

from grafana.generator.boards.data_source import data_source
from grafana.generator.boards.trades import trades_of_the_api, trades_table
from grafana.generator.dashboard import HORIZON, INTERVAL, QUOTE_ASSET, SYMBOL, api_variable, dashboard, hidden
from grafana.generator.fields import AMOUNT, EXACT, override, text_mappings
from grafana.generator.palette import DOWN, DOWN_TEXT, NEUTRAL, PLAIN_TEXT, UP, UP_TEXT
from grafana.generator.panels import graded, line_chart, stat, table, text_panel
from grafana.generator.targets import NUMBER, RANGE, TEXT, TIME, api, column
from grafana.generator.targets import live as stream

SYMBOL_ONLY = {"symbol": "${symbol}"}
# The symbol as its channels are called: the same, unless it has characters beyond ASCII.
LIVE_NAME = hidden(
    api_variable(
        "live_name",
        "Live name",
        "The symbol as its channels are called.",
        "ETHUSDT",
        "/symbols",
        "live_name",
        symbol="${symbol}",
    )
) | {"skipUrlSync": True}
STANDSTILL = """
**Time since the last frame** above is how long the stream has been standing still. A few seconds are normal; without
changes there are no frames. If it grows:

- Is the market still polled? [Pipeline health](/d/pipeline-health?${__url_time_range}&${__all_variables}) shows it.
- Does the pusher run, and does Grafana take its frames? The row *Live* there shows both; `docker compose logs live`
  says why not.
- A green dot in a panel's title shows that this page is connected. After a restart of Grafana, open the page again.

The panels on the left get each change as it is committed, at most five times per second. Those on the right ask the
API every ten seconds, and also show what was before this page was opened.
"""


def live() -> dict:
    rows = [
        (5, [(5, price_now()), (9, book_now()), (6, standstill()), (4, data_source())]),
        (9, [(12, last_minutes(price_stream())), (12, last_minutes(price_before()))]),
        (9, [(12, last_minutes(book_stream())), (12, last_minutes(book_before()))]),
        (10, [(12, trades_stream()), (12, trades_before())]),
        (5, [(24, open_candle())]),
        (9, [(8, all_prices()), (8, all_prices_before()), (8, text_panel("Does it stand still?", STANDSTILL, HELP))]),
    ]
    description = "Price, order book and trades of one symbol as they change, pushed over a WebSocket."
    variables = [SYMBOL, LIVE_NAME, hidden(INTERVAL), hidden(QUOTE_ASSET), hidden(HORIZON)]
    # The refresh is for the panels of the API and Prometheus; streams keep their buffer.
    return dashboard("live", "Live", description, rows, variables, "now-5m", "10s", streams=True)


def last_minutes(panel: dict) -> dict:
    """The panel with a range of its own: whoever comes from another dashboard brings a range of
    hours, in which a stream would be a dot."""
    return {**panel, "timeFrom": "5m", "hideTimeOverride": True}


HELP = "What to look at when the stream stands still."


def price_now() -> dict:
    return stat(
        "$symbol",
        "The price as it is pushed. Other symbols: see the list above.",
        [stream("price_${live_name}")],
        **EXACT,
        colour=PLAIN_TEXT,
        text_mode="value",
    )


def book_now() -> dict:
    return stat(
        "Bid, ask and spread",
        "The best prices of the order book as it is pushed, and the difference between them.",
        [stream("book_${live_name}")],
        **EXACT,
        colour=PLAIN_TEXT,
        text_mode="value_and_name",
        overrides=[
            override("bid", displayName="Bid"),
            override("ask", displayName="Ask"),
            override("spread", displayName="Spread"),
        ],
    )


def standstill() -> dict:
    return graded(
        "Time since the last frame",
        "Of any symbol. A few seconds are normal. If it grows, the stream stands still: the text below says what to "
        "look at.",
        "time() - max(live_last_frame_timestamp_seconds > 0)",
        "age",
        "s",
        warning=15,
        bad=60,
    )


def price_stream() -> dict:
    return line_chart(
        "Price as it comes",
        "Every change of the price since this page was opened. If the line ends, no changes arrive.",
        [stream("price_${live_name}")],
        **EXACT,
        colour=UP,
        overrides=[override("price", displayName="Price")],
    )


def price_before() -> dict:
    columns = [column("price", NUMBER, "Price"), column("updated_at", TIME, "Time")]
    return line_chart(
        "Price before",
        "The same from the API: also what was before this page was opened.",
        [api("/latest_prices", columns, {**SYMBOL_ONLY, **RANGE, "points": 150}, "timeseries")],
        **EXACT,
        colour=NEUTRAL,
    )


def book_stream() -> dict:
    return line_chart(
        "Bid and ask as they come",
        "The best prices of the order book since this page was opened. Between the lines lies the spread.",
        [stream("book_${live_name}")],
        **EXACT,
        overrides=[
            override("bid", displayName="Bid", colour=UP, custom_fillOpacity=0),
            override("ask", displayName="Ask", colour=DOWN, custom_fillOpacity=0),
            # A difference, which would draw the axis down to 0.
            override(
                "spread",
                displayName="Spread",
                colour=NEUTRAL,
                custom_hideFrom={"viz": True, "legend": True, "tooltip": False},
            ),
        ],
    )


def book_before() -> dict:
    columns = [
        column("best_ask", NUMBER, "Ask"),
        column("best_bid", NUMBER, "Bid"),
        column("updated_at", TIME, "Time"),
    ]
    return line_chart(
        "Bid and ask before",
        "The same from the API: also what was before this page was opened.",
        [api("/order_book", columns, {**SYMBOL_ONLY, **RANGE, "points": 150}, "timeseries")],
        **EXACT,
        overrides=[
            override("Ask", colour=DOWN, custom_fillOpacity=0),
            override("Bid", colour=UP, custom_fillOpacity=0),
        ],
    )


def ordered(names: dict[str, str], hidden_field: str = "") -> dict:
    """Columns from left to right: the name of the field, and its title."""
    return {
        "id": "organize",
        "options": {
            "excludeByName": {hidden_field: True} if hidden_field else {},
            "includeByName": {},
            "renameByName": names,
            "indexByName": {name: index for index, name in enumerate(names)},
        },
    }


def trades_stream() -> dict:
    side = text_mappings(("sold", "sold", DOWN_TEXT), ("bought", "bought", UP_TEXT))
    names = {"time": "Time", "side": "Side", "price": "Price", "quantity": "Quantity"}
    return trades_table(
        "Trades as they come",
        "The newest 25 trades since this page was opened, newest first. The side is that of the taker.",
        stream("trades_${live_name}"),
        list(names),
        side,
        transformations=[
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "time", "desc": True}]}},
            {"id": "limit", "options": {"limitField": 25}},
            ordered(names),
        ],
    )


def trades_before() -> dict:
    return trades_of_the_api(
        "Trades before", "The newest 25 trades from the API, newest first. The side is that of the taker."
    )


def open_candle() -> dict:
    return stat(
        "The open candle of this minute",
        "Highest and lowest price since the minute began, and the volume in the base asset, as they are pushed.",
        [stream("candle_${live_name}")],
        **EXACT,
        colour=PLAIN_TEXT,
        text_mode="value_and_name",
        only="/^(high|low|volume)$/",
        overrides=[
            override("high", displayName="High"),
            override("low", displayName="Low"),
            override("volume", displayName="Volume", **AMOUNT),
        ],
    )


def all_prices() -> dict:
    newest = {"reducers": ["lastNotNull"], "mode": "seriesToRows", "labelsToFields": True}
    return table(
        "Tracked prices as they come",
        "The newest price of every tracked symbol. A symbol appears with its first change.",
        [stream("prices")],
        ["symbol", "Last *"],
        **EXACT,
        transformations=[
            {"id": "reduce", "options": newest},
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "symbol"}]}},
            ordered({"symbol": "Symbol", "Last *": "Price"}, hidden_field="Field"),
        ],
        overrides=[override("Symbol", custom_minWidth=110), override("Price", custom_minWidth=95)],
    )


def all_prices_before() -> dict:
    columns = [
        column("last_price_text", TEXT, "Price"),
        column("symbol", TEXT, "Symbol"),
    ]
    return table(
        "Tracked prices before",
        "The same from the API's statistics of 24 hours, which change every ten seconds.",
        [api("/crypto_24h_stats", columns, {"tracked": "true", "sort": "symbol", "order": "asc", "limit": 50})],
        ["Symbol", "Price"],
        **EXACT,
        overrides=[override("Symbol", custom_minWidth=110), override("Price", custom_minWidth=95)],
    )
