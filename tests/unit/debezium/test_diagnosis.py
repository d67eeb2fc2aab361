import pytest

from debezium.connect import Status
from debezium.diagnosis import SILENT_AFTER_SECONDS, Remedy, remedy
from debezium.slot import SlotState

RUNNING = Status("RUNNING", ("RUNNING",))
FAILED = Status("RUNNING", ("FAILED",), "trace")
STOPPED = Status("STOPPED", ())
ABSENT = Status("ABSENT", ())
LONG = SILENT_AFTER_SECONDS + 1


def slot(wal_status="reserved", age=1.0):
    return SlotState(wal_status, True, 0, age)


def test_connector_that_delivers_needs_nothing():
    assert remedy(RUNNING, slot(), False, LONG) is Remedy.NONE


def test_absent_connector_is_registered():
    assert remedy(ABSENT, slot("absent", None), False, LONG) is Remedy.REGISTER


def test_failed_task_or_connector_is_restarted():
    assert remedy(FAILED, slot(), False, LONG) is Remedy.RESTART_FAILED
    assert remedy(Status("FAILED", ()), slot(), False, LONG) is Remedy.RESTART_FAILED


@pytest.mark.parametrize("age", [LONG, 3600.0, None])
def test_connector_that_reports_running_and_delivers_nothing_is_restarted(age):
    assert remedy(RUNNING, slot(age=age), False, LONG) is Remedy.RESTART_SILENT


def test_silent_connector_is_given_time_after_a_remedy():
    assert remedy(RUNNING, slot(age=LONG), False, SILENT_AFTER_SECONDS - 1) is Remedy.NONE
    assert remedy(RUNNING, slot(age=None), False, 1) is Remedy.NONE


@pytest.mark.parametrize("status", [RUNNING, FAILED, STOPPED, Status("UNASSIGNED", ())])
def test_slot_that_postgres_invalidated_is_rebuilt_whatever_the_status_says(status):
    assert remedy(status, slot("lost"), True, LONG) is Remedy.REBUILD_SLOT


def test_absent_slot_is_rebuilt_only_when_the_connector_has_offsets():
    assert remedy(RUNNING, slot("absent"), True, LONG) is Remedy.REBUILD_SLOT
    assert remedy(Status("UNASSIGNED", ()), slot("absent", None), False, LONG) is Remedy.WAIT


def test_rebuild_that_was_interrupted_before_its_last_step_is_completed():
    assert remedy(STOPPED, slot("absent"), False, LONG) is Remedy.REBUILD_SLOT


@pytest.mark.parametrize("state", ["PAUSED", "STOPPED", "UNASSIGNED"])
def test_connector_that_a_person_paused_or_that_starts_is_left_alone(state):
    assert remedy(Status(state, ()), slot(), True, LONG) is Remedy.WAIT


@pytest.mark.parametrize("wal_status", ["reserved", "extended", "unreserved"])
def test_slot_that_still_works_is_usable_and_not_rebuilt(wal_status):
    assert slot(wal_status).usable
    assert remedy(RUNNING, slot(wal_status), True, LONG) is Remedy.NONE


def test_lost_or_missing_slot_is_not_usable():
    assert not slot("lost").usable
    assert not slot("absent").usable


def test_snapshot_that_takes_long_is_not_restarted():
    reading = SlotState("reserved", False, 0, 3600.0, snapshotting=True)
    assert remedy(RUNNING, reading, False, LONG) is Remedy.WAIT
    assert remedy(FAILED, reading, False, LONG) is Remedy.RESTART_FAILED
