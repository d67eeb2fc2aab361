"""Every case of type_cases.py through the statement that would write it, and docs/types.md, which
is made of them."""

from typing import Any

import pytest

from pipeline.changes import INSERT
from pipeline.consumer.cql_times import PROTOCOL_VERSION
from pipeline.consumer.statements import Statements
from pipeline.errors import UnwritableRecord
from scripts.types_table import DOCUMENT, document
from tests.unit.pipeline.consumer.type_cases import CASES, Case, Refused
from tests.unit.support.ddl import DeclaredTable
from tests.unit.support.fake_cassandra import FakeSession, driver_type


def written(case: Case) -> Any:
    """What a reader gets after the case's value was written to a table of the user's."""
    key = ("id", "value") if case.key else ("id",)
    session = FakeSession({})
    session.declare(DeclaredTable("things", {"id": "int", "value": case.cql}, key, ("id",)))
    statement = Statements(session, "crypto").statement("things", INSERT)
    (row,) = statement.encode([{"id": 1, "value": case.json}], [1], [0], "things")
    encoded = dict(zip(statement.prepared.names, row.values, strict=True))["value"]
    return driver_type(case.cql).from_binary(encoded, PROTOCOL_VERSION)


def name(case: Case) -> str:
    return f"{case.postgres} {case.value[:30]} in {case.cql}{' key' if case.key else ''}"


def plain(value: Any) -> Any:
    """Collections of the driver as Python's own; NaN, which is not equal to itself, as text."""
    if value != value:
        return "NaN"
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if type(value).__name__ == "SortedSet":
        return set(value)
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("case", [case for case in CASES if not isinstance(case.stored, Refused)], ids=name)
def test_value_is_stored_exactly(case):
    stored = plain(written(case))
    assert stored == plain(case.stored)
    assert type(stored) is type(plain(case.stored)) or isinstance(case.stored, tuple)


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case.stored, Refused)], ids=name)
def test_value_that_cannot_be_stored_is_refused_with_column_value_and_remedy(case):
    with pytest.raises(UnwritableRecord) as caught:
        written(case)
    reason = str(caught.value)
    assert reason.startswith(f"things.value={case.json!r}"[:100])
    assert case.stored.words in reason
    assert len(reason) < 700


def test_values_of_one_kind_are_refused_in_a_column_of_many_rows_as_well():
    """The fast path of a whole column must refuse what the encoder of one value refuses."""
    accepted = []
    for case in CASES:
        if not isinstance(case.stored, Refused):
            continue
        session = FakeSession({})
        key = ("id", "value") if case.key else ("id",)
        session.declare(DeclaredTable("things", {"id": "int", "value": case.cql}, key, ("id",)))
        statement = Statements(session, "crypto").statement("things", INSERT)
        rows = [{"id": number, "value": case.json} for number in range(3)]
        try:
            statement.encode(rows, [1] * 3, [0, 1, 2], "things")
            accepted.append(name(case))
        except UnwritableRecord:
            pass
    assert accepted == []


def test_there_are_enough_cases_and_none_twice():
    assert len(CASES) >= 150
    assert len({(case.postgres, str(case.json), case.cql, case.key) for case in CASES}) == len(CASES)


def test_document_is_what_the_cases_say():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: make docs"
