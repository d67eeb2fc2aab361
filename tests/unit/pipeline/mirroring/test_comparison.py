"""When two tables count as equal although a program writes meanwhile, and when they do not."""

from types import SimpleNamespace

import pytest

from pipeline.mirroring import comparison
from pipeline.mirroring.comparison import Comparison, compare
from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import RowFacts
from pipeline.mirroring.plan import make_plan
from tests.unit.pipeline.mirroring.tables import column, table


@pytest.mark.parametrize(
    ("before", "after", "mirrored", "missing", "extra"),
    [(10, 10, 10, 0, 0), (10, 20, 15, 0, 0), (20, 10, 15, 0, 0), (10, 20, 9, 1, 0), (10, 20, 21, 0, 1)],
)
def test_rows_may_come_and_go_between_the_counts(before, after, mirrored, missing, extra) -> None:
    found = Comparison(before, after, mirrored)
    assert (found.missing_rows, found.extra_rows) == (missing, extra)
    assert found.equal is (not missing and not extra)


class Rows:
    """Two rows in PostgreSQL and Cassandra. `again`: row 1 each time that it is read again."""

    def __init__(self, mirrored: list, again: list) -> None:
        self.mirrored = mirrored
        self.again_values = again

    def parts(self, share):
        yield [({"id": 1, "note": "a"}, ("1",)), ({"id": 2, "note": "b"}, ("2",))]

    def again(self, key_text):
        assert key_text == ("1",)
        return self.again_values.pop(0)

    def rows_by_key(self, key, types, keys):
        return [self.mirrored.pop(0) for _ in keys]


@pytest.fixture
def differences(monkeypatch):
    def run(*mirrored, again=()) -> tuple[str, ...]:
        rows = Rows(list(mirrored), list(again))
        monkeypatch.setattr(comparison, "SourceSample", lambda *_: rows)
        monkeypatch.setattr(comparison, "count", lambda cursor, where: 2)
        cassandra = SimpleNamespace(count=lambda partition: 2, rows_by_key=rows.rows_by_key)
        source = table(column("id", not_null=True), column("note", "text"))
        plan = make_plan(source, None, Key(("id",)), RowFacts(total=2), "crypto")
        found = compare(None, cassandra, plan, sleep=lambda seconds: None)
        assert (found.sampled, found.values, found.example) == (2, 4, 1)
        return found.differences

    return run


ONE, TWO = {"id": 1, "note": "a"}, {"id": 2, "note": "b"}
OLD = {"id": 1, "note": "old"}


def test_equal_rows_have_no_difference(differences) -> None:
    assert differences(ONE, TWO) == ()


def test_row_that_stays_different_is_a_difference(differences) -> None:
    assert differences(OLD, TWO, OLD, again=(ONE, ONE)) == ("id=1: note is 'a' in PostgreSQL, 'old' in Cassandra",)
    assert differences(None, TWO, None, again=(ONE, ONE)) == ("id=1: not in Cassandra",)


def test_row_that_was_on_its_way_is_no_difference(differences) -> None:
    assert differences(OLD, TWO, ONE, again=(ONE, ONE)) == ()


def test_row_that_changes_or_disappears_at_this_moment_is_no_difference(differences) -> None:
    assert differences(OLD, TWO, OLD, again=(ONE, {"id": 1, "note": "c"})) == ()
    assert differences(OLD, TWO, None, again=(None, None)) == ()
