"""Moving averages of candles. Exact sums, rounded to the decimals of the price. Knows nothing of
Cassandra."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from pipeline.api.exact import decimals, exact
from pipeline.api.store import Row

# Column of a candle to the number of candles that it is the average of, the candle itself included.
LENGTHS: Mapping[str, int] = {"ma_7": 7, "ma_25": 25}
LONGEST = max(LENGTHS.values())


class Close(NamedTuple):
    """The close of a candle, and how many decimals it has."""

    price: Decimal
    decimals: int


def with_averages(
    rows: Sequence[Row], earlier: Iterable[Row], names: Iterable[str], decimals_of: Callable[[str], int]
) -> list[Row]:
    """The candles with the averages `names` of their closes. `earlier`: those before the first one,
    ascending. `decimals_of`: the decimals of a symbol's prices. None while there are too few
    candles."""
    lengths = {name: LENGTHS[name] for name in names}
    closes: dict[str, deque[Close]] = defaultdict(lambda: deque(maxlen=LONGEST))
    for row in earlier:
        if row["close_price"] is not None:
            closes[row["symbol"]].append(close_of(row))
    extended = []
    for row in rows:
        last = closes[row["symbol"]]
        if row["close_price"] is not None:
            last.append(close_of(row))
        places = decimals_of(row["symbol"])
        extended.append({**row, **{name: average(last, length, places) for name, length in lengths.items()}})
    return extended


def close_of(row: Row) -> Close:
    price = exact(row["close_price"])
    return Close(price, decimals(price))


def average(closes: Sequence[Close], length: int, places: int) -> float | None:
    """Of the last `length` closes; with the decimals that they have, and at least `places`."""
    if len(closes) < length:
        return None
    last = [closes[at] for at in range(len(closes) - length, len(closes))]
    total = sum((close.price for close in last), start=Decimal(0))
    return float(round(total / length, max(places, *(close.decimals for close in last))))
