"""The columns that a client asks for with `fields`, and numbers as text for people. Knows nothing
of HTTP or Cassandra."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from pipeline.api.exact import decimals, exact
from pipeline.api.instruments import Instrument
from pipeline.api.store import Row

# `price_text` is the column `price` as text.
TEXT_SUFFIX = "_text"
PRICES = frozenset({"price", "spread", "best_bid", "best_ask", "price_change"})
QUANTITIES = frozenset({"quantity", "buy_quantity", "sell_quantity", "bid_depth", "ask_depth", "volume"})
InstrumentOf = Callable[[str], Instrument]


def with_fields(rows: Sequence[Row], names: Collection[str], instrument_of: InstrumentOf) -> list[Row]:
    """Each row with these columns alone, in this order; null where a row lacks one."""
    plain = {name for name in names if not name.endswith(TEXT_SUFFIX)}
    # One look per column and symbol, and not per value.
    decimals_of = cache(lambda column, symbol: min_decimals(column, instrument_of(symbol)))
    return [
        {name: row.get(name) if name in plain else text_of(row, name, decimals_of) for name in names} for row in rows
    ]


def text_of(row: Mapping[str, Any], name: str, decimals_of: Callable[[str, str], int]) -> str | None:
    number = name.removesuffix(TEXT_SUFFIX)
    value = row.get(number)
    return None if value is None else text(value, decimals_of(number, row["symbol"]))


def min_decimals(column: str, instrument: Instrument) -> int:
    """How many decimals a symbol's value in this column has at least, trailing zeros included."""
    if column in PRICES or column.endswith("_price"):
        return instrument.price_decimals
    return instrument.quantity_decimals if column in QUANTITIES else 0


def text(value: float, at_least: int) -> str:
    """With thousands separators and at least so many decimals: 95,423.60. A value with more of them
    keeps them all; a step size that changed must not hide a digit."""
    number = exact(value)
    return f"{number:,.{max(at_least, decimals(number))}f}"
