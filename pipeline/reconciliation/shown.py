"""A difference as a person and a program read it. Knows how values are written; knows no
connection."""

from datetime import datetime
from typing import Any

from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.settle import Difference
from pipeline.reconciliation.targets import Target
from pipeline.times import cassandra_datetime_to_ms, ms_to_iso

MAX_CHARACTERS = 60


def described(target: Target, difference: Difference) -> dict[str, Any]:
    """`key`: column to value. `sides`: PostgreSQL and the store. `values`: the columns that differ,
    as [PostgreSQL's, the store's]; all columns of a row that only one side has."""
    expected = None if difference.expected is None else difference.expected.row
    stored = difference.stored
    places = range(len(target.stored.columns))
    key = expected or stored or ()
    names = target.stored.columns
    differing = [at for at in places if expected is None or stored is None or expected[at] != stored[at]]
    return {
        "table": target.shown,
        "kind": difference.kind,
        "key": {name: cell(target, name, key, at) for at, name in enumerate(target.stored.key)},
        "values": {
            names[at]: [cell(target, names[at], expected, at), cell(target, names[at], stored, at)]
            for at in differing
            if at >= len(target.stored.key) or (expected and stored)
        },
        "sides": ("PostgreSQL", target.stored.store),
    }


def cell(target: Target, name: str, row: RawRow | None, at: int) -> Any:
    """A value that JSON can hold."""
    if row is None or row[at] is None:
        return None
    try:
        value = target.stored.value(name, row[at])
    except (ValueError, TypeError, OverflowError):  # a canonical form, or a time of no calendar
        return repr(row[at])
    if isinstance(value, datetime):
        return ms_to_iso(cassandra_datetime_to_ms(value))
    return value if isinstance(value, str | int | float | bool) else str(value)


def line(found: dict[str, Any]) -> str:
    """`klines extra symbol=ETHUSDT interval=1m …`, then what differs."""
    key = " ".join(f"{name}={value}" for name, value in found["key"].items())
    if found["kind"] != "different":
        return f"{found['kind']:9} {found['table']}: {key}"
    first, second = found["sides"]
    values = ", ".join(
        f"{name} {short(pair[0])} in {first}, {short(pair[1])} in {second}" for name, pair in found["values"].items()
    )
    return f"different {found['table']}: {key}: {values}"


def short(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
