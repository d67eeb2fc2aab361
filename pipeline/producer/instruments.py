"""What exchangeInfo says about a symbol, as a row of the table `instruments`. Pure functions."""

from decimal import Decimal
from typing import Any

from pipeline.producer.batch import Row
from pipeline.producer.rows import number


def instrument(item: dict[str, Any]) -> Row:
    """An entry of `symbols`. Raises one of BAD_SHAPE if it differs from the API document."""
    filters = {each["filterType"]: each for each in item.get("filters", ())}
    return {
        "symbol": item["symbol"],
        "base_asset": item["baseAsset"],
        "quote_asset": item["quoteAsset"],
        "tick_size": step(filters.get("PRICE_FILTER", {}).get("tickSize")),
        "step_size": step(filters.get("LOT_SIZE", {}).get("stepSize")),
        "status": item["status"] or "",
    }


def step(text: Any) -> Decimal | None:
    """The size of a step. None without the filter, and for 0, with which the exchange says that it
    does not apply it."""
    return (number(text) or None) if text is not None else None
