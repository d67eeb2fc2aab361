"""What is wrong with the capture and which remedy helps. Pure: what was seen in, one remedy out."""

from enum import Enum

from debezium.connect import Status
from debezium.flow import Flow
from debezium.slot import SlotState

# Debezium writes the heartbeat every 5 s (connector.json). Six missed in a row mean that nothing is
# delivered.
SILENT_AFTER_SECONDS = 30.0
# How Connect's producer names a record above max.request.size.
TOO_LARGE = "RecordTooLargeException"


class Remedy(Enum):
    NONE = "none"
    WAIT = "wait"
    REGISTER = "register"
    RESTART_FAILED = "restart_failed"
    RESTART_SILENT = "restart_silent"
    RESTART_TOPIC = "restart_topic"
    SKIP_RECORD = "skip_record"
    REBUILD_SLOT = "rebuild_slot"


def remedy(status: Status, slot: SlotState, has_offsets: bool, flow: Flow) -> Remedy:
    """A slot that PostgreSQL has invalidated (`lost`) cannot be repaired, nor can one that is
    absent although the connector has stored offsets: the changes between its position and now are
    missing, whatever the connector's status says."""
    if status.connector == "ABSENT":
        return Remedy.REGISTER
    rebuild_unfinished = status.connector == "STOPPED"  # a rebuild was interrupted before its last step
    if slot.wal_status == "lost" or (slot.wal_status == "absent" and (has_offsets or rebuild_unfinished)):
        return Remedy.REBUILD_SLOT
    if "FAILED" in (status.connector, *status.tasks):
        return Remedy.SKIP_RECORD if TOO_LARGE in status.trace else Remedy.RESTART_FAILED
    # No heartbeat is written during a snapshot, and a restart would start the snapshot again.
    if not status.running or slot.snapshotting:
        return Remedy.WAIT
    # Connect creates a topic once per run of a task. Later its producer waits for a deleted topic
    # without limit, and with it the records of all tables; a restart creates the topic again.
    if flow.deleted_topics:
        return Remedy.RESTART_TOPIC
    if flow.silent_seconds > SILENT_AFTER_SECONDS:
        return Remedy.RESTART_SILENT
    return Remedy.WAIT if flow.flowing_seconds is None else Remedy.NONE
