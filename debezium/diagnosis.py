"""What is wrong with the capture and which remedy helps. Pure: two states in, one remedy out."""

from enum import Enum

from debezium.connect import Status
from debezium.slot import SlotState

# Debezium writes the heartbeat every 5 s (connector.json). Six missed in a row mean that nothing is
# delivered.
SILENT_AFTER_SECONDS = 30.0


class Remedy(Enum):
    NONE = "none"
    WAIT = "wait"
    REGISTER = "register"
    RESTART_FAILED = "restart_failed"
    RESTART_SILENT = "restart_silent"
    REBUILD_SLOT = "rebuild_slot"


def remedy(status: Status, slot: SlotState, has_offsets: bool, seconds_since_remedy: float) -> Remedy:
    """`seconds_since_remedy`: how long ago a remedy was last applied; a restart needs time before
    it can be judged.

    A slot that PostgreSQL has invalidated (`lost`) cannot be repaired, nor can one that is absent
    although the connector has stored offsets: the changes between its position and now are missing,
    whatever the connector's status says."""
    if status.connector == "ABSENT":
        return Remedy.REGISTER
    rebuild_unfinished = status.connector == "STOPPED"  # a rebuild was interrupted before its last step
    if slot.wal_status == "lost" or (slot.wal_status == "absent" and (has_offsets or rebuild_unfinished)):
        return Remedy.REBUILD_SLOT
    if "FAILED" in (status.connector, *status.tasks):
        return Remedy.RESTART_FAILED
    # No heartbeat is written during a snapshot, and a restart would start the snapshot again.
    if not status.running or slot.snapshotting:
        return Remedy.WAIT
    age = slot.heartbeat_age_seconds
    if (age is None or age > SILENT_AFTER_SECONDS) and seconds_since_remedy > SILENT_AFTER_SECONDS:
        return Remedy.RESTART_SILENT
    return Remedy.NONE
