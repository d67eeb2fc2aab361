"""Which CQL type a PostgreSQL type becomes, and which types are refused with a reason."""

import pytest

from pipeline.mirroring.refusal import Unmirrorable
from pipeline.mirroring.source_table import PgType
from pipeline.mirroring.types import CQL_TYPES, ELEMENTS, RECOGNISED_WHEN_TOASTED, REFUSED, REFUSED_ELEMENTS, cql_type


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("int2", "smallint"),
        ("int4", "int"),
        ("int8", "bigint"),
        ("oid", "bigint"),
        ("numeric", "decimal"),
        ("money", "decimal"),
        ("float4", "float"),
        ("float8", "double"),
        ("bool", "boolean"),
        ("uuid", "uuid"),
        ("bytea", "blob"),
        ("date", "date"),
        ("time", "time"),
        ("timestamp", "timestamp"),
        ("timestamptz", "timestamp"),
        *((base, "text") for base in ("text", "varchar", "bpchar", "citext", "enum", "json", "jsonb", "xml")),
        *(
            (base, "text")
            for base in (
                "char",
                "macaddr8",
                "hstore",
                "inet",
                "cidr",
                "macaddr",
                "range",
                "tsvector",
                "ltree",
                "interval",
            )
        ),
    ],
)
def test_type_becomes_the_cql_type_that_holds_every_value(base: str, expected: str) -> None:
    assert cql_type(PgType(base, base)) == expected


def test_one_bit_is_a_boolean_and_more_are_a_blob() -> None:
    assert cql_type(PgType("bit(1)", "bit", modifier=1)) == "boolean"
    assert cql_type(PgType("bit(9)", "bit", modifier=9)) == "blob"


@pytest.mark.parametrize(
    "base",
    [
        *("timetz", "varbit", "name", "point", "line", "box", "circle", "polygon", "path", "lseg"),
        *("composite", "multirange", "pg_lsn", "xid8", "jsonpath", "tsquery", "a_type_of_an_extension"),
    ],
)
def test_type_without_an_exact_form_is_refused_with_a_reason(base: str) -> None:
    with pytest.raises(Unmirrorable, match=r"\w+ \w+"):
        cql_type(PgType(base, base))


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("int4", "frozen<list<int>>"),
        ("text", "frozen<list<text>>"),
        ("enum", "frozen<list<text>>"),
        ("timestamptz", "frozen<list<timestamp>>"),
        ("numeric", "frozen<list<decimal>>"),
        ("bytea", "frozen<list<blob>>"),
        ("uuid", "frozen<list<uuid>>"),
        ("oid", "frozen<list<bigint>>"),
        ("citext", "frozen<list<text>>"),
    ],
)
def test_array_becomes_a_frozen_list(base: str, expected: str) -> None:
    """A list that is not frozen has no difference between empty and null, and a change delivered
    twice appends its elements twice."""
    assert cql_type(PgType(f"{base}[]", base, is_array=True)) == expected


@pytest.mark.parametrize("base", ["time", "interval", "money", "hstore", "composite", "timetz", "bit", "point", "xml"])
def test_array_whose_elements_arrive_damaged_is_refused(base: str) -> None:
    with pytest.raises(Unmirrorable, match=r"\w+ \w+"):
        cql_type(PgType(f"{base}[]", base, is_array=True))


def test_no_type_is_both_mirrored_and_refused() -> None:
    assert not CQL_TYPES.keys() & REFUSED.keys()
    assert not ELEMENTS & REFUSED_ELEMENTS.keys()
    assert CQL_TYPES.keys() >= ELEMENTS
    assert RECOGNISED_WHEN_TOASTED < ELEMENTS
