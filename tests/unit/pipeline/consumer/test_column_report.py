import pytest
from prometheus_client import REGISTRY

from pipeline.changes import DELETE, INSERT
from pipeline.consumer.column_report import ColumnReport
from pipeline.consumer.statements import Statements
from tests.unit.support.ddl import DeclaredTable
from tests.unit.support.fake_cassandra import FakeSession


@pytest.fixture
def check(caplog):
    """Checks rows against a table with these columns. Returns the (event, column, remedy) lines."""
    report = ColumnReport()

    def run(columns, *rows, kind=INSERT, complete_row=...):
        session = FakeSession({})
        session.declare(DeclaredTable("wide", {"id": "int", **columns}, ("id",), ("id",)))
        statement = Statements(session, "crypto").statement("wide", kind)
        report.check(statement, rows, rows[0] if complete_row is ... else complete_row)
        return [(line.getMessage(), line.column, line.remedy) for line in caplog.records]

    return run


def count(metric, column):
    return REGISTRY.get_sample_value(f"consumer_{metric}_columns_total", {"table": "wide", "column": column}) or 0


def test_rows_that_fit_say_nothing(check):
    assert check({"v": "text"}, {"id": 1, "v": None}) == []


@pytest.mark.parametrize("column", ["createdAt", "order", 'say "hi"'])
def test_remedy_for_an_unknown_column_can_be_typed(check, column):
    quoted = '"' + column.replace('"', '""') + '"'
    ((event, name, remedy),) = check({}, {"id": 1, column: 5})
    assert (event, name) == ("unknown_column", column)
    assert remedy == f'ALTER TABLE "crypto"."wide" ADD {quoted} …'


def test_column_of_another_case_is_named_on_both_sides(check):
    lines = {event: remedy for event, _, remedy in check({"createdat": "text"}, {"id": 1, "createdAt": 5})}
    assert '"createdat", which is another column' in lines["unknown_column"]
    assert lines["missing_column"] == 'PostgreSQL sends "createdAt": ALTER TABLE "crypto"."wide" ADD "createdAt" …'


def test_column_that_never_comes_is_counted_per_row_and_logged_once(check):
    before = count("missing", "generated")
    for _ in range(3):
        lines = check({"generated": "int"}, {"id": 1}, {"id": 2})
    assert count("missing", "generated") - before == 6
    ((event, column, remedy),) = lines
    assert (event, column) == ("missing_column", "generated")
    assert 'ALTER TABLE "crypto"."wide" DROP "generated"' in remedy


def test_column_that_an_update_left_alone_is_not_missing(check):
    assert check({"large": "text"}, {"id": 1}, complete_row=None) == []


def test_delete_needs_no_other_columns(check):
    assert check({"v": "text"}, {"id": 1}, kind=DELETE) == []
