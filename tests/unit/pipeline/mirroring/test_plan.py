"""The plan: types, remarks, statements in their order; what is there already is left alone."""

import pytest

from pipeline.mirroring.columns import TargetTable
from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import Check, RowFacts
from pipeline.mirroring.plan import Plan, make_plan
from pipeline.mirroring.plan_text import plan_lines
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import SourceTable
from pipeline.tables import WHOLE_ROW_IN_DELETES
from tests.unit.pipeline.mirroring.tables import column, table

BY_ID = Key(("id",))
MIRRORED = "Mirror of public.orders."


def plan_of(source: SourceTable, key: Key = BY_ID, target: TargetTable | None = None, **facts) -> Plan:
    return make_plan(source, target, key, RowFacts(**facts), "crypto")


def statements(plan: Plan) -> list[str]:
    return [step.statement for step in plan.steps]


def types(plan: Plan) -> dict[str, str | None]:
    return {each.source.name: each.cql_type for each in plan.columns}


def remark(plan: Plan, name: str) -> str:
    return next(each.remark for each in plan.columns if each.source.name == name)


def test_new_table_is_readable_identified_made_and_published_in_this_order() -> None:
    plan = plan_of(table(readable=False))
    assert statements(plan) == [
        'GRANT SELECT ON public."orders" TO crypto_debezium',
        'ALTER TABLE public."orders" REPLICA IDENTITY FULL',
        'CREATE TABLE crypto."orders" ("id" int, "note" text, PRIMARY KEY (("id")))'
        " WITH comment = 'Mirror of public.orders.'",
        'ALTER PUBLICATION crypto_publication ADD TABLE public."orders"',
    ]


def test_table_that_is_mirrored_already_needs_no_step() -> None:
    source = table(published=True, identities=(("public.orders", "f"),))
    assert plan_of(source, target=TargetTable(BY_ID, {"id": "int", "note": "text"}, MIRRORED)).steps == ()


def test_new_column_is_added_and_an_own_column_of_cassandra_is_kept() -> None:
    source = table(published=True, identities=(("public.orders", "f"),))
    plan = plan_of(source, target=TargetTable(BY_ID, {"id": "int", "total": "double"}, MIRRORED))
    assert statements(plan) == ['ALTER TABLE crypto."orders" ADD "note" text']
    assert plan.extra_columns == ("total",)
    assert any("total" in line for line in plan_lines(plan))


def test_table_that_was_made_by_hand_says_from_now_on_what_its_deletes_carry() -> None:
    source = table(published=True, identities=(("public.orders", "f"),))
    by_hand = TargetTable(BY_ID, {"id": "int", "note": "text"}, "the shop's orders")
    assert statements(plan_of(source, target=by_hand)) == [
        "ALTER TABLE crypto.\"orders\" WITH comment = 'the shop''s orders Mirror of public.orders.'"
    ]
    beyond = Key(("note",), ("id",))
    (statement,) = statements(plan_of(source, beyond, TargetTable(beyond, {"id": "int", "note": "text"})))
    assert WHOLE_ROW_IN_DELETES in statement


def test_type_that_cassandra_has_already_is_kept_and_explained() -> None:
    source = table(column("id", not_null=True), column("price", "numeric"))
    plan = plan_of(source, target=TargetTable(BY_ID, {"id": "int", "price": "double"}))
    assert types(plan) == {"id": "int", "price": "double"}
    assert "decimal holds every value exactly" in remark(plan, "price")


def test_column_that_cannot_be_mirrored_is_left_out_with_its_reason() -> None:
    source = table(column("id", not_null=True), column("at", "timetz"), column("twice", generated=True))
    plan = plan_of(source)
    assert types(plan) == {"id": "int", "at": None, "twice": None}
    assert "loses the zone" in remark(plan, "at")
    assert "generated" in remark(plan, "twice")
    assert "twice" not in next(text for text in statements(plan) if text.startswith("CREATE"))


@pytest.mark.parametrize(
    ("base", "modifier", "default", "microseconds", "expected"),
    [
        ("timestamptz", None, "now()", False, "text"),
        ("timestamptz", None, "CURRENT_TIMESTAMP", False, "text"),
        ("timestamptz", None, "", True, "text"),
        ("timestamp", None, "clock_timestamp()", False, "bigint"),
        ("timestamptz", None, "", False, "timestamp"),
        ("timestamptz", 3, "now()", False, "timestamp"),
        ("timestamptz", 0, "now()", False, "timestamp"),
        ("timestamp", 4, "", True, "bigint"),
    ],
)
def test_time_in_the_key_is_never_rounded(base, modifier, default, microseconds, expected) -> None:
    at = column("at", base, modifier=modifier, default=default, not_null=True)
    found = frozenset({"at"} if microseconds else ())
    plan = plan_of(table(column("id", not_null=True), at), Key(("id",), ("at",)), with_microseconds=found)
    assert types(plan)["at"] == expected
    mark = {"text": "Time as ISO 8601 text: at.", "bigint": "Time as microseconds since 1970: at.", "timestamp": ""}
    assert next(text for text in statements(plan) if "CREATE" in text).endswith(
        f"'Mirror of public.orders. {WHOLE_ROW_IN_DELETES}{' ' if mark[expected] else ''}{mark[expected]}'"
    )


def test_time_outside_the_key_is_a_timestamp_and_the_rounding_is_said() -> None:
    plan = plan_of(table(column("id", not_null=True), column("at", "timestamptz", default="now()")))
    assert types(plan)["at"] == "timestamp"
    assert "to the millisecond" in remark(plan, "at")


def test_rows_that_become_dead_letters_are_counted_in_the_plan() -> None:
    check = Check("note", "true", "NaN or infinity")
    plan = plan_of(table(), total=10, unwritable=1, odd=((check, 1),))
    assert "1 row has NaN or infinity: dead letters" in remark(plan, "note")
    assert plan.expected_rows == 9
    assert any("1 of 10 rows" in line for line in plan_lines(plan))


def test_values_that_would_be_changed_without_notice_are_refused_with_a_query_that_finds_them() -> None:
    check = Check("days", "days < '0001-01-01'", "times before the year 1", silent=True)
    with pytest.raises(MirrorRefused, match=r"2 rows have.*SELECT \* FROM public.*WHERE days <"):
        plan_of(table(), odd=((check, 2),))


def test_table_that_is_published_in_part_is_refused() -> None:
    with pytest.raises(MirrorRefused, match="a row filter"):
        plan_of(table(published=True, publication_limit="a row filter"))


def test_partitions_that_are_added_later_are_mentioned_when_they_need_something() -> None:
    text = "\n".join(plan_lines(plan_of(table(partitioned=True))))
    assert "after you add one, run this again" in text
    short = table(column("id", not_null=True), partitioned=True)
    assert "after you add one" not in "\n".join(plan_lines(plan_of(short)))


def test_lines_of_the_plan_name_every_column_and_every_statement() -> None:
    plan = plan_of(table(), total=3)
    text = "\n".join(plan_lines(plan))
    for name in ("id", "note", "int4", "partition key", "REPLICA IDENTITY FULL", "CREATE TABLE", "ADD TABLE"):
        assert name in text
    assert max(map(len, text.splitlines())) <= 110
