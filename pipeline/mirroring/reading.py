"""How to read a mirrored table: the API's address and the CQL statement. Knows no connection."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from pipeline.mirroring.plan import Plan
from pipeline.mirroring.source_table import quoted

# Types whose values CQL writes without quotes.
UNQUOTED = frozenset(
    ("smallint", "int", "bigint", "decimal", "float", "double", "boolean", "uuid", "blob", "timestamp")
)


def reading_lines(plan: Plan, api_port: int, example: Any) -> Iterator[str]:
    """`example`: a value of the partition key, or None for a table without rows."""
    name, cql_type = plan.key.partition[0], cql_type_of(plan, plan.key.partition[0])
    value = example_text(example)
    yield f"  API:  curl 'http://localhost:{api_port}/tables/{plan.source.name}?{quote(name)}={quote(value)}'"
    literal = value if cql_type in UNQUOTED else "'" + value.replace("'", "''") + "'"
    yield f"  CQL:  SELECT * FROM {plan.cql_name} WHERE {quoted(name)} = {literal};"


def cql_type_of(plan: Plan, name: str) -> str:
    return next(column.cql_type or "" for column in plan.columns if column.source.name == name)


def example_text(value: Any) -> str:
    if value is None:
        return "…"
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value).lower() if isinstance(value, bool) else str(value)
