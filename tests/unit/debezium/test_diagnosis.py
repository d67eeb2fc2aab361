import pytest

from debezium.connect import Status
from debezium.diagnosis import SILENT_AFTER_SECONDS, Remedy, remedy
from debezium.flow import Flow
from debezium.slot import SlotState

RUNNING = Status("RUNNING", ("RUNNING",))
FAILED = Status("RUNNING", ("FAILED",), "trace")
STOPPED = Status("STOPPED", ())
ABSENT = Status("ABSENT", ())
FLOWING = Flow(silent_seconds=1.0, flowing_seconds=100.0)
SILENT = Flow(silent_seconds=SILENT_AFTER_SECONDS + 1)


def slot(wal_status="reserved"):
    return SlotState(wal_status, True, 0)


def test_connector_that_delivers_needs_nothing():
    assert remedy(RUNNING, slot(), False, FLOWING) is Remedy.NONE


def test_absent_connector_is_registered():
    assert remedy(ABSENT, slot("absent"), False, SILENT) is Remedy.REGISTER


def test_failed_task_or_connector_is_restarted():
    assert remedy(FAILED, slot(), False, FLOWING) is Remedy.RESTART_FAILED
    assert remedy(Status("FAILED", ()), slot(), False, FLOWING) is Remedy.RESTART_FAILED


def test_record_that_is_too_large_is_skipped_because_a_restart_would_send_it_again():
    trace = "org.apache.kafka.common.errors.RecordTooLargeException: The message is 20480748 bytes when serialized"
    assert remedy(Status("RUNNING", ("FAILED",), trace), slot(), False, FLOWING) is Remedy.SKIP_RECORD


@pytest.mark.parametrize("silent_seconds", [SILENT_AFTER_SECONDS + 1, 3600.0])
def test_connector_that_reports_running_and_delivers_nothing_is_restarted(silent_seconds):
    assert remedy(RUNNING, slot(), False, Flow(silent_seconds, 5.0)) is Remedy.RESTART_SILENT
    assert remedy(RUNNING, slot(), False, Flow(silent_seconds)) is Remedy.RESTART_SILENT


def test_connector_without_a_heartbeat_so_far_is_given_time_but_is_not_well():
    assert remedy(RUNNING, slot(), False, Flow(SILENT_AFTER_SECONDS - 1)) is Remedy.WAIT
    assert remedy(RUNNING, slot(), False, Flow(1.0)) is Remedy.WAIT


def test_deleted_topic_is_restarted_at_once():
    """Heartbeats may still arrive when no row of that table has changed since."""
    assert remedy(RUNNING, slot(), False, Flow(1.0, 100.0, ("orders",))) is Remedy.RESTART_TOPIC


@pytest.mark.parametrize("status", [RUNNING, FAILED, STOPPED, Status("UNASSIGNED", ())])
def test_slot_that_postgres_invalidated_is_rebuilt_whatever_the_status_says(status):
    assert remedy(status, slot("lost"), True, SILENT) is Remedy.REBUILD_SLOT


def test_absent_slot_is_rebuilt_only_when_the_connector_has_offsets():
    assert remedy(RUNNING, slot("absent"), True, SILENT) is Remedy.REBUILD_SLOT
    assert remedy(Status("UNASSIGNED", ()), slot("absent"), False, SILENT) is Remedy.WAIT


def test_rebuild_that_was_interrupted_before_its_last_step_is_completed():
    assert remedy(STOPPED, slot("absent"), False, SILENT) is Remedy.REBUILD_SLOT


@pytest.mark.parametrize("state", ["PAUSED", "STOPPED", "UNASSIGNED"])
def test_connector_that_a_person_paused_or_that_starts_is_left_alone(state):
    assert remedy(Status(state, ()), slot(), True, SILENT) is Remedy.WAIT


@pytest.mark.parametrize("wal_status", ["reserved", "extended", "unreserved"])
def test_slot_that_still_works_is_usable_and_not_rebuilt(wal_status):
    assert slot(wal_status).usable
    assert remedy(RUNNING, slot(wal_status), True, FLOWING) is Remedy.NONE


def test_lost_or_missing_slot_is_not_usable():
    assert not slot("lost").usable
    assert not slot("absent").usable


def test_snapshot_that_takes_long_is_not_restarted():
    reading = SlotState("reserved", False, 0, snapshotting=True)
    assert remedy(RUNNING, reading, False, Flow(3600.0)) is Remedy.WAIT
    assert remedy(FAILED, reading, False, Flow(3600.0)) is Remedy.RESTART_FAILED
