"""Types as pg_type lists them, resolved to what a value is: without domains, with an array's
elements. Knows the catalogue's columns; asks nothing."""

from typing import NamedTuple

from pipeline.mirroring.source_table import PgType

KINDS = {"e": "enum", "r": "range", "m": "multirange", "c": "composite"}


class TypeRow(NamedTuple):
    name: str
    kind: str
    base_oid: int
    base_modifier: int
    element_oid: int
    length: int


def resolved(types: dict[int, TypeRow], oid: int, modifier: int, text: str) -> PgType:
    """The type without its domains: a domain's base type, an array's elements. An element's own
    domain is resolved as well."""
    row, modifier = without_domains(types, oid, modifier)
    is_array = row.element_oid != 0 and row.name.startswith("_") and row.length == -1
    if is_array:
        row, modifier = without_domains(types, row.element_oid, modifier)
    base = KINDS.get(row.kind, row.name)
    number = type_modifier(base, modifier)
    return PgType(text, base, is_array, number, None if is_array else max_bytes(base, row.length, number))


def without_domains(types: dict[int, TypeRow], oid: int, modifier: int) -> tuple[TypeRow, int]:
    row = types[oid]
    while row.kind == "d":
        modifier = row.base_modifier if modifier < 0 else modifier
        row = types[row.base_oid]
    return row, modifier


def type_modifier(base: str, modifier: int) -> int | None:
    """The length of a text, the digits of a number, the digits of a second."""
    if modifier < 0:
        return None
    if base in ("varchar", "bpchar"):
        return modifier - 4
    if base == "numeric":
        return (modifier - 4) >> 16
    return modifier


def max_bytes(base: str, length: int, number: int | None) -> int | None:
    """The longest value in PostgreSQL's storage; None without a limit."""
    if length > 0:
        return length
    if base in ("varchar", "bpchar"):
        return None if number is None else 4 * number + 4  # a character takes up to four bytes
    if base == "numeric":
        return 100 if number is None else number // 2 + 12  # without limit in theory; 200 digits are plenty
    return {"bit": (number or 8) // 8 + 12, "inet": 22, "cidr": 22, "range": 220}.get(base)
