"""The statements, as far as they can be tested without PostgreSQL."""

import pytest

from pipeline.producer.upserts import template, upsert_sql
from pipeline.tables import BOOKS, KLINES, STATS, TABLES, TRADES

each_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


@each_table
def test_row_template_names_every_column_once_with_its_type(table):
    filled = template(table)
    for name, kind in table.columns.items():
        expected = "now()" if name == "updated_at" else f"%({name})s::{kind}"
        assert filled.count(expected) == 1
    assert filled.count("::") + filled.count("now()") == len(table.columns)


@each_table
def test_conflict_is_on_the_key_of_the_table(table):
    wanted = "ON CONFLICT DO NOTHING" if table is TRADES else f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET"
    assert wanted in upsert_sql(table)


def test_stored_trade_is_never_written_again():
    assert "UPDATE" not in upsert_sql(TRADES)


@pytest.mark.parametrize("table", [STATS, BOOKS, KLINES], ids=lambda table: table.name)
def test_unchanged_row_is_not_written(table):
    sql = upsert_sql(table)
    compared = sql.split("IS DISTINCT FROM")[0].rsplit("(", 1)[1]
    for name in table.columns:
        changes = name not in table.key and name not in table.volatile
        assert (f"old.{name}," in f"{compared.rstrip(') ')},") is changes, name


def test_both_the_join_and_the_conflict_keep_a_closed_candle_closed():
    sql = upsert_sql(KLINES)
    assert "(new.is_closed OR NOT old.is_closed)" in sql
    assert "(excluded.is_closed OR NOT old.is_closed)" in sql


def test_both_the_join_and_the_conflict_keep_a_newer_book():
    sql = upsert_sql(BOOKS)
    assert "new.last_update_id > old.last_update_id" in sql
    assert "excluded.last_update_id > old.last_update_id" in sql


def test_unconditional_write_replaces_a_newer_book_but_no_equal_one():
    sql = upsert_sql(BOOKS, unconditional=True)
    assert "last_update_id >" not in sql
    assert "IS DISTINCT FROM" in sql
