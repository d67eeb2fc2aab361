"""Cassandra's values in JSON, and back from an address."""

import math
from collections import namedtuple
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest
from cassandra.util import Date, Duration, OrderedMapSerializedKey, SortedSet, Time

from pipeline.api.json_values import to_json
from pipeline.api.key_values import BAD_VALUE, PARSERS

ID = UUID("b68a35a7-17ad-45b3-af2a-ae46edb4545a")
Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("ü", "ü"),
        (2**53 + 1, 2**53 + 1),
        (2**63, "9223372036854775808"),
        (1.5, 1.5),
        (math.nan, None),
        (math.inf, None),
        (Decimal("19.90"), "19.90"),
        (ID, str(ID)),
        (b"\x00\xff", "0x00ff"),
        (datetime(1970, 1, 1, 0, 0, 1), 1000),
        (Date("2026-01-31"), "2026-01-31"),
        (Time("12:00:00.5"), "12:00:00.500000000"),
        (Duration(1, 2, 3), "1mo2d3ns"),
        ([Decimal("1.0"), None], ["1.0", None]),
        ((1.5, math.nan), [1.5, None]),
        (SortedSet([2, 1]), [1, 2]),
        ({"a": Decimal("1")}, {"a": "1"}),
        ({1: "a"}, [[1, "a"]]),
        (Point(1, Decimal("2.0")), {"x": 1, "y": "2.0"}),
    ],
)
def test_value_has_an_exact_form_in_json(value: object, expected: object) -> None:
    assert to_json(value) == expected


def test_map_of_the_driver_is_an_object() -> None:
    from cassandra.cqltypes import UTF8Type

    found = OrderedMapSerializedKey(UTF8Type, 5)
    found._insert_unchecked("a", b"a", 1)
    assert to_json(found) == {"a": 1}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "ada", "ada"),
        ("boolean", "true", True),
        ("int", "-2147483648", -(2**31)),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("varint", "9223372036854775808", 2**63),
        ("decimal", "19.90", Decimal("19.90")),
        ("double", "1e3", 1000.0),
        ("uuid", str(ID), ID),
        ("blob", "0x00ff", b"\x00\xff"),
        ("timestamp", "1700000000000", 1_700_000_000_000),
        ("timestamp", "-1", -1),
        ("timestamp", "1969-12-31T23:59:59.999Z", -1),
        ("timestamp", "2026-01-31T12:00:00 01:00", 1_769_857_200_000),
        ("date", "2026-01-31", "2026-01-31"),
        ("time", "12:00:00.123456789", "12:00:00.123456789"),
        ("inet", "::1", "::1"),
    ],
)
def test_value_of_an_address_is_read_by_its_cql_type(kind: str, text: str, expected: object) -> None:
    assert PARSERS[kind][0](text) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("boolean", "yes"),
        ("int", "2147483648"),
        ("smallint", "32768"),
        ("tinyint", "-129"),
        ("int", "1.0"),
        ("int", "١"),
        ("bigint", ""),
        ("decimal", "NaN"),
        ("decimal", "1e999999999"),
        ("double", "much"),
        ("uuid", "1"),
        ("blob", "00ff"),
        ("blob", "0xf"),
        ("timestamp", "soon"),
        ("timestamp", "999999999999999"),
        ("date", "2026-02-30"),
        ("time", "25:00:00"),
        ("time", "24:00:00"),
        ("inet", "localhost"),
        ("ascii", "ü"),
    ],
)
def test_value_that_does_not_fit_is_refused(kind: str, text: str) -> None:
    with pytest.raises(BAD_VALUE):
        PARSERS[kind][0](text)
