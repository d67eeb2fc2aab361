"""Cassandra's key: which is chosen, and which is refused with what to change."""

import pytest

from pipeline.mirroring.keys import Key, choose_key
from pipeline.mirroring.refusal import MirrorRefused
from tests.unit.pipeline.mirroring.tables import column, table

ORDERS = table(
    column("id", not_null=True),
    column("customer", "text", not_null=True),
    column("note", "text"),
    column("tags", "text", is_array=True, not_null=True),
    column("at", "timetz", not_null=True),
    column("double", generated=True, not_null=True),
)


def test_key_is_the_primary_key_with_its_first_column_as_partition_key() -> None:
    source = table(*ORDERS.columns, primary_key=("customer", "id"))
    assert choose_key(source, (), None) == Key(("customer",), ("id",))


def test_wanted_key_that_contains_the_primary_key_is_taken_in_its_order() -> None:
    assert choose_key(ORDERS, ("customer", "id"), None) == Key(("customer",), ("id",))


def test_wanted_key_may_contain_another_unique_key() -> None:
    source = table(*ORDERS.columns, unique_keys=(("customer",),))
    assert choose_key(source, ("customer",), None) == Key(("customer",))


def test_key_of_a_table_that_cassandra_has_is_kept() -> None:
    existing = Key(("customer", "id"))
    assert choose_key(ORDERS, (), existing) == existing


@pytest.mark.parametrize(
    ("wanted", "remedy"),
    [
        (("nowhere", "id"), "has no column nowhere"),
        (("customer",), "--key customer,id"),
        (("id", "note"), "SET NOT NULL"),
        (("id", "tags"), "is an array"),
        (("id", "at"), "loses the zone"),
        (("id", "double"), "generated column"),
        (("id", "id"), "twice"),
    ],
)
def test_bad_key_is_refused_with_what_to_change(wanted: tuple[str, ...], remedy: str) -> None:
    with pytest.raises(MirrorRefused, match=remedy):
        choose_key(ORDERS, wanted, None)


def test_table_without_primary_key_is_refused_unless_a_unique_key_is_named() -> None:
    with pytest.raises(MirrorRefused, match="ADD PRIMARY KEY"):
        choose_key(table(*ORDERS.columns, primary_key=()), (), None)
    unique = table(*ORDERS.columns, primary_key=(), unique_keys=(("customer",),))
    with pytest.raises(MirrorRefused, match="add --key customer"):
        choose_key(unique, (), None)
    assert choose_key(unique, ("customer",), None) == Key(("customer",))


def test_other_key_than_that_of_cassandra_is_refused() -> None:
    with pytest.raises(MirrorRefused, match="DROP TABLE"):
        choose_key(ORDERS, ("customer", "id"), Key(("id",)))


def test_key_made_by_hand_that_does_not_tell_rows_apart_is_refused() -> None:
    with pytest.raises(MirrorRefused, match="two rows could become one"):
        choose_key(ORDERS, (), Key(("customer",)))
