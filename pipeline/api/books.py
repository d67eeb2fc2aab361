"""Order books as clients see them: cut to some levels, with figures free of noise. Knows nothing of
Cassandra."""

from typing import Any

from pipeline.api.depth import cut
from pipeline.api.exact import difference, middle, rounded
from pipeline.api.store import Row

IMBALANCE_DECIMALS = 6
BASIS_POINTS = 10_000
BASIS_POINT_DECIMALS = 4


def shown(rows: list[Row], levels: int | None) -> list[Row]:
    """The books with at most `levels` levels per side. Their figures are computed again from the
    best prices, because books that an earlier version stored have the noise of a difference of
    doubles in them."""
    return [{**row, **figures(row)} for row in cut(rows, levels)]


def figures(row: Row) -> dict[str, Any]:
    bid, ask = row.get("best_bid"), row.get("best_ask")
    spread = mid_price = spread_bps = None
    if bid is not None and ask is not None:
        spread, mid_price = difference(ask, bid), middle(ask, bid)
        spread_bps = round(BASIS_POINTS * spread / mid_price, BASIS_POINT_DECIMALS) if mid_price else None
    imbalance = row.get("imbalance")
    return {
        "spread": spread,
        "mid_price": mid_price,
        "spread_bps": spread_bps,
        **{name: None if row.get(name) is None else rounded(row[name]) for name in ("bid_depth", "ask_depth")},
        "imbalance": None if imbalance is None else round(imbalance, IMBALANCE_DECIMALS),
    }
