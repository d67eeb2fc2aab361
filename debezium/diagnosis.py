"""What is wrong with the capture and what helps. Pure: two states in, one remedy out."""

from enum import Enum

from debezium.connect import Status
from debezium.slot import SlotState

# Debezium writes the heartbeat every 5 s (connector.json); six missed in a row are no hiccup.
SILENT_AFTER_SECONDS = 30.0


class Remedy(Enum):
    NONE = "none"
    WAIT = "wait"
    REGISTER = "register"
    RESTART_FAILED = "restart_failed"
    RESTART_SILENT = "restart_silent"
    REBUILD_SLOT = "rebuild_slot"


def remedy(status: Status, slot: SlotState, has_offsets: bool, quiet_since_seconds: float) -> Remedy:
    """`quiet_since_seconds`: how long ago a remedy was last applied; a restart needs time before it
    can be judged.

    A slot that PostgreSQL gave up (`lost`), or that is gone although the connector had got
    somewhere, cannot be mended: changes between its position and now are missing, whatever the
    connector's status says."""
    if status.connector == "ABSENT":
        return Remedy.REGISTER
    broken_off = status.connector == "STOPPED"  # by a rebuild that did not get to its last step
    if slot.wal_status == "lost" or (slot.wal_status == "absent" and (has_offsets or broken_off)):
        return Remedy.REBUILD_SLOT
    if "FAILED" in (status.connector, *status.tasks):
        return Remedy.RESTART_FAILED
    # No heartbeat is written during a snapshot; to restart one would only begin it again.
    if not status.running or slot.snapshotting:
        return Remedy.WAIT
    age = slot.heartbeat_age_seconds
    if (age is None or age > SILENT_AFTER_SECONDS) and quiet_since_seconds > SILENT_AFTER_SECONDS:
        return Remedy.RESTART_SILENT
    return Remedy.NONE
