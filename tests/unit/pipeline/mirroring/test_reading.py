"""How to read the rows, in lines that can be copied."""

import pytest

from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import RowFacts
from pipeline.mirroring.plan import make_plan
from pipeline.mirroring.reading import reading_lines
from tests.unit.pipeline.mirroring.tables import column, table


@pytest.mark.parametrize(
    ("base", "example", "address", "literal"),
    [
        ("int4", 7, "7", "7"),
        ("text", "o'neil & co", "o%27neil%20%26%20co", "'o''neil & co'"),
        ("bool", True, "true", "true"),
        ("bytea", b"\x01", "0x01", "0x01"),
        ("date", "2026-01-31", "2026-01-31", "'2026-01-31'"),
    ],
)
def test_lines_hold_a_value_of_the_partition_key(base: str, example: object, address: str, literal: str) -> None:
    source = table(column("code", base, not_null=True), primary_key=("code",))
    plan = make_plan(source, None, Key(("code",)), RowFacts(), "crypto")
    api, cql = reading_lines(plan, 5000, example)
    assert api.endswith(f"'http://localhost:5000/tables/orders?code={address}'")
    assert cql.endswith(f"""SELECT * FROM crypto."orders" WHERE "code" = {literal};""")
