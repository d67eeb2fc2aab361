"""Deletes and moves use only values that the event certainly carries."""

import json

import pytest

from pipeline.changes import Change
from pipeline.consumer.replica_identity import InDeletes, ReplicaIdentities, check_update, is_zero, key_row
from pipeline.errors import UnwritableRecord

WHOLE_ROW = InDeletes(primary_key=True, whole_row=True)
EPOCH = "1970-01-01T00:00:00Z"


def change(op, row, key, before=None, table="orders"):
    kafka_key = None if key is None else json.dumps(key).encode()
    return Change(table, op == "d", row, 7, 7, op=op, before=before, kafka_key=kafka_key)


@pytest.mark.parametrize(
    ("key", "row"),
    [
        (b'{"id": 7}', {"id": 7}),
        (b'{"schema": {"type": "struct"}, "payload": {"id": 7}}', {"id": 7}),
        (None, None),
        (b"null", None),
        (b"{}", None),
        (b"x", None),
        (b"[1]", None),
    ],
)
def test_key_of_a_record(key, row):
    assert key_row(key) == row


@pytest.mark.parametrize(
    "filled_in",
    [
        *(None, 0, 0.0, False, "", "0", "0.00", EPOCH, "1970-01-01T00:00:00.000000Z", [], {}, "{}", "[]"),
        *("00:00:00Z", "P0Y0M0DT0H0M0S", "00000000-0000-0000-0000-000000000000", {"x": 0.0, "y": 0.0, "wkb": "AQ=="}),
    ],
)
def test_value_that_debezium_fills_in_is_no_evidence(filled_in):
    assert is_zero(filled_in)


@pytest.mark.parametrize("real", [7, -1, 0.5, True, "x", "10", "2026-01-15T08:00:00Z", [1], "{1}"])
def test_value_that_was_logged_is_evidence(real):
    assert not is_zero(real)


def certain(*changes):
    """What is left of the last one, a delete, after the others."""
    identities = ReplicaIdentities()
    for earlier in changes[:-1]:
        identities.updated(earlier) if earlier.op == "u" else identities.certain(earlier)
    return identities.certain(changes[-1]).row


def test_delete_with_the_default_identity_keeps_the_primary_key_only():
    assert certain(change("d", {"id": 1, "at": EPOCH, "v": None}, {"id": 1})) == {"id": 1}


def test_delete_with_the_full_identity_keeps_what_debezium_cannot_have_filled_in():
    row = {"id": 1, "at": "2026-01-15T08:00:00Z", "line": 0, "v": None}
    assert certain(change("d", row, {"id": 1})) == {"id": 1, "at": "2026-01-15T08:00:00Z"}


def test_delete_with_the_full_identity_keeps_everything_once_an_update_came_with_before():
    row = {"id": 1, "at": "2026-01-15T08:00:00Z", "line": 0, "v": None}
    assert certain(change("u", row, {"id": 1}, before=row), change("d", row, {"id": 1})) == row


def test_value_that_debezium_fills_in_is_not_certain_because_another_one_was_logged():
    """Nothing is known of the table yet, and status may be a column with DEFAULT 'new'."""
    row = {"id": 1, "at": EPOCH, "status": "new"}
    assert "at" not in certain(change("d", row, {"id": 1}))


def test_before_of_an_index_identity_is_not_taken_for_the_whole_row():
    """REPLICA IDENTITY USING INDEX (email), email changed: before has 0 for the primary key."""
    update = change("u", {"id": 7, "email": "new"}, {"id": 7}, before={"id": 0, "email": "old"})
    assert ReplicaIdentities().updated(update).before is None


def test_delete_of_a_table_without_primary_key_keeps_everything():
    row = {"a": 0, "b": 7}
    assert certain(change("d", row, None)) == row


def test_defaults_of_columns_do_not_pass_for_logged_values_once_an_update_came_without_before():
    """Debezium fills NOT NULL columns with their DEFAULT: status 'new' says nothing."""
    update = change("u", {"id": 1, "at": "t", "status": "old"}, {"id": 1})
    first = change("d", {"id": 1, "at": EPOCH, "status": "new"}, {"id": 1})
    second = change("d", {"id": 2, "at": EPOCH, "status": "new"}, {"id": 2})
    assert certain(update, first) == {"id": 1}
    assert certain(update, first, second) == {"id": 2}


def test_identity_that_became_full_is_noticed_by_an_update_with_before():
    row = {"id": 1, "at": "2026-01-15T08:00:00Z", "status": "old"}
    updates = change("u", row, {"id": 1}), change("u", row, {"id": 1}, before=row)
    assert certain(*updates, change("d", row, {"id": 1})) == row


def test_identity_that_became_full_is_noticed_by_deletes_that_differ():
    first = {"id": 1, "at": EPOCH, "status": "new"}
    second = {"id": 2, "at": "2026-01-15T08:00:00Z", "status": "old"}
    update = change("u", first, {"id": 1})
    assert certain(update, change("d", first, {"id": 1}), change("d", second, {"id": 2})) == second


def test_delete_that_looks_like_an_index_identity_is_refused():
    """REPLICA IDENTITY USING INDEX (email): before and key say id 0 whatever the row was."""
    with pytest.raises(UnwritableRecord, match="REPLICA IDENTITY FULL"):
        certain(change("d", {"id": 0, "email": "seven@example.org", "v": None}, {"id": 0}))


def test_delete_of_row_zero_with_the_default_identity_is_certain():
    assert certain(change("d", {"id": 0, "email": "", "v": None}, {"id": 0})) == {"id": 0}


def test_update_is_certain_when_the_key_is_the_primary_key():
    check_update(change("u", {"id": 1, "at": "t"}, {"id": 1, "at": "t"}), ("at", "id"), ())


def test_update_without_before_that_may_have_moved_the_row_is_refused():
    with pytest.raises(UnwritableRecord, match=r"at is part of the key.*REPLICA IDENTITY FULL"):
        check_update(change("u", {"id": 1, "at": "t"}, {"id": 1}), ("id", "at"), ())


def test_null_that_may_mean_unchanged_is_refused_without_before_only():
    row = {"id": 1, "numbers": None}
    with pytest.raises(UnwritableRecord, match=r"orders\.numbers=null.*REPLICA IDENTITY FULL"):
        check_update(change("u", row, {"id": 1}), ("id",), ("numbers",))
    check_update(change("u", row, {"id": 1}, before=row), ("id",), ("numbers",))
    check_update(change("u", {"id": 1, "numbers": [1]}, {"id": 1}), ("id",), ("numbers",))


def test_zero_in_the_delete_of_a_table_that_was_mirrored_with_the_whole_row_is_certain() -> None:
    delete = change("d", {"id": 7, "slot": 0, "note": None}, {"id": 7})
    assert "slot" not in ReplicaIdentities().certain(delete).row
    assert ReplicaIdentities().certain(delete, WHOLE_ROW).row == {"id": 7, "slot": 0, "note": None}


def test_whole_row_no_longer_counts_once_an_update_came_without_before() -> None:
    identities = ReplicaIdentities()
    identities.updated(change("u", {"id": 7, "slot": 1, "note": "x"}, {"id": 7}))
    delete = change("d", {"id": 7, "slot": 0, "note": None}, {"id": 7})
    assert "slot" not in identities.certain(delete, WHOLE_ROW).row


def test_delete_of_row_zero_of_a_mirrored_table_is_certain_before_any_update() -> None:
    """It has REPLICA IDENTITY FULL because rows can be long; a consumer that has just started has
    seen no update with the row before it."""
    delete = change("d", {"id": 0, "label": "x", "note": None, "words": None}, {"id": 0})
    assert ReplicaIdentities().certain(delete, InDeletes(primary_key=True)).row["id"] == 0
