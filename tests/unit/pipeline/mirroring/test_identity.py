"""When PostgreSQL must log the whole old row."""

import pytest

from pipeline.mirroring.identity import tables_to_change, why_full
from pipeline.mirroring.keys import Key
from tests.unit.pipeline.mirroring.tables import column, table

ID = column("id", not_null=True)
BY_ID = Key(("id",))


def test_short_rows_with_postgres_own_key_need_nothing() -> None:
    source = table(ID, column("name", "varchar", max_bytes=404), column("price", "numeric", max_bytes=100))
    assert why_full(source, BY_ID) == ""
    assert tables_to_change(source, "") == ()


def test_key_with_another_column_needs_the_old_row() -> None:
    assert "at" in why_full(table(ID, column("at", "timestamptz")), Key(("id",), ("at",)))


def test_row_that_can_be_over_2_kb_needs_the_old_row() -> None:
    assert "2 kB" in why_full(table(ID, column("note", "text", max_bytes=None)), BY_ID)
    assert "2 kB" in why_full(table(ID, column("note", "varchar", max_bytes=2004)), BY_ID)


@pytest.mark.parametrize(
    "base", ["numeric", "float8", "float4", "timestamptz", "timestamp", "bool", "enum", "range", "int2"]
)
def test_array_that_would_arrive_as_null_needs_the_old_row(base: str) -> None:
    source = table(ID, column("many", base, is_array=True, max_bytes=None))
    assert "many would arrive as null" in why_full(source, BY_ID)


def test_deferrable_primary_key_and_none_need_the_old_row() -> None:
    assert "deferrable" in why_full(table(ID, deferrable_key=True), BY_ID)
    assert "no primary key" in why_full(table(ID, primary_key=()), BY_ID)


def test_partitions_that_have_it_already_are_left_alone() -> None:
    source = table(ID, identities=(("public.a", "d"), ("public.b", "f"), ("public.c", "n")))
    assert tables_to_change(source, "a reason") == ("public.a", "public.c")
    assert tables_to_change(source, "") == ("public.c",)


def test_index_as_identity_is_enough_only_with_the_whole_primary_key() -> None:
    other = table(ID, identities=(("public.orders", "i"),), identity_columns=("email",))
    same = table(ID, identities=(("public.orders", "i"),), identity_columns=("id", "email"))
    assert tables_to_change(other, "") == ("public.orders",)
    assert tables_to_change(same, "") == ()
