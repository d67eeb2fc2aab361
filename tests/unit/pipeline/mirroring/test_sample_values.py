"""What Cassandra should return for a value of PostgreSQL, and when two values are equal."""

import math
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest
from cassandra.util import Date, Time

from pipeline.mirroring.sample_values import are_equal, duration_of, expected, returned, selected
from pipeline.mirroring.source_table import PgType

ID = "b68a35a7-17ad-45b3-af2a-ae46edb4545a"


@pytest.mark.parametrize(
    ("base", "cql", "value", "wanted"),
    [
        ("int4", "int", 7, 7),
        ("numeric", "decimal", "19.90", Decimal("19.90")),
        ("numeric", "double", "19.90", 19.9),
        ("float4", "float", 0.1, 0.10000000149011612),
        ("bool", "boolean", False, False),
        ("bit", "boolean", "1", True),
        ("bit", "blob", "100000001", b"\x01\x01"),
        ("uuid", "uuid", ID, UUID(ID)),
        ("bytea", "blob", memoryview(b"\x00\xff"), b"\x00\xff"),
        ("timestamptz", "timestamp", 1_767_225_600_123_999, 1_767_225_600_123),
        ("timestamptz", "timestamp", -1, -1),
        ("timestamptz", "text", 1_767_225_600_000_001, "2026-01-01T00:00:00.000001Z"),
        ("timestamp", "bigint", 1_767_225_600_000_001, 1_767_225_600_000_001),
        ("time", "time", 86_399_999_999, 86_399_999_999_000),
        ("text", "text", "ü", "ü"),
        ("text", "text", None, None),
    ],
)
def test_value_is_expected_as_the_driver_returns_it(base: str, cql: str, value: object, wanted: object) -> None:
    assert expected(PgType(base, base), cql, value) == wanted


@pytest.mark.parametrize(
    ("digits", "wanted"),
    [(0, "2026-01-01T00:00:00Z"), (2, "2026-01-01T00:00:00.10Z"), (5, "2026-01-01T00:00:00.10000Z")],
)
def test_text_of_a_time_has_the_digits_of_its_type(digits: int, wanted: str) -> None:
    """Seen in Debezium 3.7.0."""
    kind = PgType("timestamptz", "timestamptz", modifier=digits)
    assert expected(kind, "text", 1_767_225_600_100_000) == wanted


def test_elements_of_an_array_are_expected_like_values() -> None:
    kind = PgType("timestamptz[]", "timestamptz", is_array=True)
    assert expected(kind, "frozen<list<timestamp>>", [1_500_000, None]) == [1500, None]


def test_values_of_the_driver_are_brought_into_the_same_form() -> None:
    assert returned(datetime(1970, 1, 1, 0, 0, 1)) == 1000
    assert returned(Date("2026-01-31")) == "2026-01-31"
    assert returned(Time(5000)) == 5000
    assert returned([datetime(1970, 1, 1)]) == [0]


@pytest.mark.parametrize(
    ("base", "wanted", "found", "equal"),
    [
        ("numeric", Decimal("1.0"), Decimal("1.00"), True),
        ("float8", math.nan, math.nan, True),
        ("float8", 1.0, math.nan, False),
        ("text", "a", None, False),
        ("text", None, None, True),
        ("text", [], None, True),
        ("int4", [1, 2], [1, 2], True),
        ("int4", [1, 2], [1], False),
        ("hstore", '{"a": "1", "b": null}', '{"b":null,"a":"1"}', True),
        ("interval", [Decimal(14), Decimal(3), Decimal("14706.789")], "P1Y2M3DT4H5M6.789S", True),
        ("interval", [Decimal(14), Decimal(3), Decimal("14706.7")], "P1Y2M3DT4H5M6.789S", False),
    ],
)
def test_equality_is_that_of_the_meaning(base: str, wanted: object, found: object, equal: bool) -> None:
    assert are_equal(PgType(base, base), wanted, found) is equal


def test_duration_is_read_in_months_days_and_seconds() -> None:
    assert duration_of("P0Y-1M0DT0H0M-0.5S") == [Decimal(-1), Decimal(0), Decimal("-0.5")]
    with pytest.raises(ValueError):
        duration_of("a while")


def test_column_is_selected_by_its_quoted_name() -> None:
    assert selected('odd "name"', PgType("int4", "int4")) == '"odd ""name"""'
