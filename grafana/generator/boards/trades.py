"""Tables of trades: those of the API, and the form that a stream of trades shares with them."""

from typing import Any

from grafana.generator.fields import EXACT, override, value_mappings
from grafana.generator.palette import DOWN_TEXT, UP_TEXT
from grafana.generator.panels import table
from grafana.generator.targets import FLAG, NUMBER, TEXT, TIME, api, column

COLUMNS = ["Time", "Side", "Price", "Quantity"]


def trades_of_the_api(title: str, description: str) -> dict:
    columns = [
        column("trade_id", NUMBER, "Id"),
        column("trade_time", TIME, "Time"),
        column("price_text", TEXT, "Price"),
        column("quantity_text", TEXT, "Quantity"),
        column("is_buyer_maker", FLAG, "Side"),
    ]
    # The maker's order was already in the book: if the buyer is the maker, the taker sold.
    side = value_mappings(("true", "sold", DOWN_TEXT), ("false", "bought", UP_TEXT))
    newest = api("/recent_trades", columns, {"symbol": "${symbol}", "limit": 25})
    return trades_table(title, description, newest, COLUMNS, side, newest_first="Id")


def trades_table(
    title: str, description: str, target: dict, columns: list[str], side: list[dict[str, Any]], **options: Any
) -> dict:
    """`columns`: the fields that become COLUMNS, in their order. `side`: mappings of the values of
    Side."""
    return table(
        title,
        description,
        [target],
        columns,
        **EXACT,
        **options,
        overrides=[
            override("Time", unit="time:HH:mm:ss.SSS", custom_minWidth=95),
            override("Side", mappings=side, custom_cellOptions={"type": "color-text"}),
            override("Price", custom_minWidth=95, custom_align="right"),
            override("Quantity", custom_minWidth=95, custom_align="right"),
        ],
    )
