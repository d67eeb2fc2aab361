"""Which values are looked for before a table is mirrored."""

import pytest

from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import checks_of, counted, unwritable_condition
from tests.unit.pipeline.mirroring.tables import column, table

BY_ID = Key(("id",))


def found(*columns) -> dict[str, bool]:
    """What is looked for, each with whether it would go unnoticed."""
    source = table(column("id", not_null=True), *columns)
    return {check.what: check.silent for check in checks_of(source, BY_ID, source.columns, {})}


@pytest.mark.parametrize(
    ("base", "what"),
    [
        ("timestamptz", "times outside the years 1 to 9999 (infinity too)"),
        ("timestamp", "times outside the years 1 to 9999 (infinity too)"),
        ("date", "times outside the years 1 to 9999 (infinity too)"),
        ("time", "the time 24:00"),
        ("numeric", "NaN or infinity"),
    ],
)
def test_value_that_becomes_a_dead_letter_is_looked_for(base: str, what: str) -> None:
    assert found(column("odd", base)) == {what: False}


@pytest.mark.parametrize(
    ("base", "cql_type"),
    [("numeric", "double"), ("numeric", "text"), ("timestamptz", "text"), ("timestamp", "bigint"), ("time", "bigint")],
)
def test_value_that_the_type_in_cassandra_holds_is_no_dead_letter(base: str, cql_type: str) -> None:
    source = table(column("id", not_null=True), column("odd", base))
    assert checks_of(source, BY_ID, source.columns, {"odd": cql_type}) == []
    assert len(checks_of(source, BY_ID, source.columns, {"odd": "decimal"})) == 1


@pytest.mark.parametrize("base", ["int4", "text", "uuid", "float8", "jsonb", "bytea", "bool"])
def test_types_without_odd_values_are_not_looked_at(base: str) -> None:
    assert found(column("plain", base)) == {}


def test_null_in_an_array_is_noticed_except_in_one_of_an_enum() -> None:
    assert found(column("many", "int4", is_array=True)) == {
        "arrays of several dimensions": False,
        "arrays that contain null": False,
    }
    assert found(column("many", "enum", is_array=True))["arrays that contain null"] is True


@pytest.mark.parametrize(
    ("base", "what"),
    [("date", "arrays with times before the year 1"), ("numeric", "arrays with NaN or infinity")],
)
def test_array_that_debezium_would_change_is_looked_for(base: str, what: str) -> None:
    assert found(column("many", base, is_array=True))[what] is True


def test_empty_partition_key_is_looked_for() -> None:
    source = table(column("code", "text", not_null=True), primary_key=("code",))
    (check,) = checks_of(source, Key(("code",)), source.columns, {})
    assert check.what == "an empty partition key"
    assert checks_of(source, Key(("code", "code")), source.columns, {}) == []


def test_row_without_any_odd_value_is_never_unwritable() -> None:
    assert unwritable_condition([]) == "false"


def test_rows_are_counted_in_words() -> None:
    assert counted(1) == "1 row has"
    assert counted(12_000) == "12,000 rows have"
