"""Moving averages of candles. Exact sums, rounded to the decimals of the price. Knows nothing of
Cassandra."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from pipeline.api.exact import decimals, exact
from pipeline.api.store import Row

# Column of a candle to the number of candles that it is the average of, the candle itself included.
LENGTHS: Mapping[str, int] = {"ma_7": 7, "ma_25": 25}
LONGEST = max(LENGTHS.values())


def with_averages(
    rows: Sequence[Row], earlier: Iterable[Row], names: Iterable[str], decimals_of: Callable[[str], int]
) -> list[Row]:
    """The candles with the averages `names` of their closes. `earlier`: those before the first one,
    ascending. `decimals_of`: the decimals of a symbol's prices. None while there are too few
    candles."""
    lengths = {name: LENGTHS[name] for name in names}
    closes: dict[str, deque[Decimal]] = defaultdict(lambda: deque(maxlen=LONGEST))
    for row in earlier:
        if row["close_price"] is not None:
            closes[row["symbol"]].append(exact(row["close_price"]))
    extended = []
    for row in rows:
        last = closes[row["symbol"]]
        if row["close_price"] is not None:
            last.append(exact(row["close_price"]))
        places = decimals_of(row["symbol"])
        extended.append({**row, **{name: average(last, length, places) for name, length in lengths.items()}})
    return extended


def average(closes: Sequence[Decimal], length: int, places: int) -> float | None:
    """Of the last `length` closes; with the decimals that they have, and at least `places`."""
    if len(closes) < length:
        return None
    last = [closes[at] for at in range(len(closes) - length, len(closes))]
    return float(round(sum(last, start=Decimal(0)) / length, max(places, *map(decimals, last))))
