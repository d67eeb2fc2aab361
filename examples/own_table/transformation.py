"""A transformation for the table `orders`. Belongs into pipeline/transformations.py, where `mirror`
and the imports are already."""

from pipeline.changes import INSERT, Change, Write
from pipeline.transformations import mirror


def orders(change: Change) -> list[Write]:
    """Each order with its total; a deleted order is deleted."""
    if change.deleted:
        return mirror(change)
    row = change.row  # as Debezium's JSON has it: a numeric is text, a bigint a number
    total = float(row["unit_price"]) * row["quantity"]
    return [Write(change.table, INSERT, {**row, "total": total})]
