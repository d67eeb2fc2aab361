"""Tables of PostgreSQL as the catalogue would describe them, for the tests beside this file."""

from typing import Any

from pipeline.mirroring.source_table import PgType, SourceColumn, SourceTable


def column(name: str, base: str = "int4", **more: Any) -> SourceColumn:
    """A column of a type without array, unless told otherwise; `text` is the base's name."""
    given = {key: more.pop(key) for key in ("is_array", "modifier", "max_bytes") if key in more}
    return SourceColumn(name, PgType(more.pop("text", base), base, **{"max_bytes": 4, **given}), **more)


def table(*columns: SourceColumn, **more: Any) -> SourceTable:
    """The table `orders`, with the key `id` unless told otherwise."""
    found = columns or (column("id", not_null=True), column("note", "text", max_bytes=None))
    given = {"primary_key": ("id",), "identities": (('public."orders"', "d"),), **more}
    return SourceTable("orders", found, **given)
