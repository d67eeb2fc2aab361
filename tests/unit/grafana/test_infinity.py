"""How the imitated plugin converts a response."""

from datetime import UTC, datetime

import pytest

from tests.support.grafana.infinity import NoFrame, frame

TIME_MS = 1_700_000_000_000


def query(*columns: tuple[str, str, str], **more: str) -> dict:
    selected = [{"selector": selector, "text": title, "type": kind} for selector, title, kind in columns]
    return {"root_selector": "", "format": "table", "columns": selected, **more}


def values(response: object, query: dict) -> dict[str, tuple]:
    return {field.name: field.values for field in frame(response, query)}


def test_fields_are_sorted_by_title_in_any_order_of_the_columns() -> None:
    fields = frame([{"a": 1, "b": 2}], query(("a", "Second", "number"), ("b", "First", "number")))
    assert [field.name for field in fields] == ["First", "Second"]


def test_response_without_rows_has_no_fields() -> None:
    assert frame([], query(("a", "a", "number"))) == []


def test_epoch_milliseconds_become_times() -> None:
    fields = values([{"t": TIME_MS}], query(("t", "Time", "timestamp_epoch")))
    assert fields == {"Time": (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),)}


def test_numbers_in_strings_are_read_and_everything_else_is_null() -> None:
    rows = [{"n": "1.5"}, {"n": 2}, {"n": None}, {"n": True}, {"n": "x"}, {}]
    assert values(rows, query(("n", "n", "number"))) == {"n": (1.5, 2.0, None, None, None, None)}


def test_booleans_stay_and_false_in_a_string_is_null() -> None:
    rows = [{"b": True}, {"b": False}, {"b": "TRUE"}, {"b": "false"}]
    assert values(rows, query(("b", "b", "boolean"))) == {"b": (True, False, True, None)}


def test_strings_are_made_of_numbers_and_booleans() -> None:
    assert values([{"s": 5}, {"s": False}], query(("s", "s", "string"))) == {"s": ("5", "false")}


def test_selectors_are_paths() -> None:
    nested = query(("a.b", "deep", "number"), root_selector="data.rows")
    assert values({"data": {"rows": [{"a": {"b": 7}}]}}, nested) == {"deep": (7.0,)}


def test_root_selector_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(NoFrame, match="no results"):
        frame([{"a": 1}], query(("a", "a", "number"), root_selector="data"))


def test_lists_in_a_column_are_rejected() -> None:
    with pytest.raises(NoFrame, match="not a single value"):
        frame([{"bids": [[1, 2]]}], query(("bids", "bids", "number")))


LONG = query(("t", "Time", "timestamp_epoch"), ("s", "symbol", "string"), ("p", "Price", "number"), format="timeseries")


def test_time_series_with_a_string_become_one_field_per_value_of_the_string() -> None:
    rows = [{"t": 1, "s": "A", "p": 1}, {"t": 1, "s": "B", "p": 2}, {"t": 2, "s": "A", "p": 3}]
    time, *prices = frame(rows, LONG)
    assert len(time.values) == 2
    assert {field.labels["symbol"]: field.values for field in prices} == {"A": (1.0, 3.0), "B": (2.0, None)}


@pytest.mark.parametrize("times", [(2, 1), (1, None)])
def test_frame_stays_long_if_times_go_backwards_or_are_null(times: tuple) -> None:
    fields = frame([{"t": time, "s": "A", "p": 1} for time in times], LONG)
    assert [field.name for field in fields] == ["Price", "Time", "symbol"]
