"""An order book as the two curves of a depth chart. Knows nothing of Cassandra."""

from pipeline.api.exact import running_totals
from pipeline.api.store import Row


def cut(rows: list[Row], levels: int | None) -> list[Row]:
    """Books with at most `levels` levels per side; None keeps all."""
    if levels is None:
        return rows
    return [{**row, "bids": (row["bids"] or [])[:levels], "asks": (row["asks"] or [])[:levels]} for row in rows]


def depth(book: Row) -> list[Row]:
    """Rows ascending by price; the depth of each side accumulates from its best price outwards."""
    bids, asks = side(book, "bids", "bid"), side(book, "asks", "ask")
    return [*reversed(bids), *asks]


def side(book: Row, levels: str, name: str) -> list[Row]:
    """One side, best price first."""
    pairs = book[levels] or []
    totals = running_totals(quantity for _, quantity in pairs)
    return [
        {
            "symbol": book["symbol"],
            "updated_at": book["updated_at"],
            "side": name,
            "price": price,
            "quantity": quantity,
            "bid_depth": total if name == "bid" else None,
            "ask_depth": total if name == "ask" else None,
        }
        for (price, quantity), total in zip(pairs, totals)
    ]
