"""Rows on their way from a reply to PostgreSQL. Knows neither the exchange nor SQL."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.tables import Table

Row = dict[str, Any]


class Batch(NamedTuple):
    """Rows of one table that are committed together with those of the other batches of the same
    write. `unconditional`: they replace stored rows whatever the table's update_condition says."""

    table: Table
    rows: Sequence[Row]
    unconditional: bool = False
