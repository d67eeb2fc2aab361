"""What exchangeInfo says about a symbol, as a row of the table `instruments`. Pure functions."""

from decimal import Decimal
from typing import Any

from pipeline.producer.batch import Row
from pipeline.producer.rows import amount, field, text


def instrument(item: dict[str, Any]) -> Row:
    """An entry of `symbols`. Raises one of BAD_SHAPE if it differs from the API document."""
    sizes = field(steps, {"filters": item.get("filters", [])}, "filters")
    return {
        "symbol": field(text, item, "symbol"),
        "base_asset": field(text, item, "baseAsset"),
        "quote_asset": field(text, item, "quoteAsset"),
        "tick_size": sizes.get("PRICE_FILTER"),
        "step_size": sizes.get("LOT_SIZE"),
        "status": field(lambda status: str(status or ""), item, "status"),
    }


# Filter → its field with the size of a step. There are other filters.
STEPS = {"PRICE_FILTER": "tickSize", "LOT_SIZE": "stepSize"}


def steps(filters: Any) -> dict[str, Decimal | None]:
    """The size of a step by filter. None for 0, with which the exchange says that it does not apply
    the filter, and without the field."""
    found = {each["filterType"]: each for each in filters if each["filterType"] in STEPS}
    return {
        name: amount(each[STEPS[name]]) or None if each.get(STEPS[name]) is not None else None
        for name, each in found.items()
    }
