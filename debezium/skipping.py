"""Gets the connector past a change that is too large for Kafka, and names its row. Knows Connect's
configuration and the slot; knows nothing of when this is necessary."""

import logging
from collections.abc import Callable, Mapping

from prometheus_client import Counter

from debezium.connect import Connect
from debezium.register import CONNECTOR, max_record_bytes
from debezium.slot import Slot, SlotState

log = logging.getLogger(__name__)

# Connect leaves a record out that its producer refuses, and logs it. Set only for as long as it
# takes to get past such a record: without it, one row would stop all tables forever; with it, other
# errors could lose records without a word.
SKIPPING = {"errors.tolerance": "all", "errors.log.enable": "true"}
REMEDY = (
    "make the row smaller, or raise the limits (debezium/README.md, Large rows); then update the row, so that it is "
    "sent again"
)

SKIPPED = Counter("guard_skipped_records_total", "Changes left out because they are too large for Kafka", ["table"])


class RecordSkipper:
    """`begin` names what is too large and lets the connector leave it out; `end_when_past` takes
    that back. Both raise ConnectUnavailable or ConnectRefused."""

    def __init__(self, connect: Connect, wanted_config: Callable[[Slot], dict[str, str]]) -> None:
        self._connect = connect
        self._wanted_config = wanted_config
        # While records are being skipped: the end of the WAL when that began.
        self._until_lsn: int | None = None

    def begin(self, slot: Slot, state: SlotState) -> None:
        config = self._wanted_config(slot)
        report(slot, max_record_bytes(config))
        self._until_lsn = state.current_lsn
        self._connect.put_config(CONNECTOR, config | SKIPPING)
        self._connect.restart(CONNECTOR, only_failed=True)

    def end_when_past(self, state: SlotState) -> None:
        """Once everything that was in the WAL at the beginning is in Kafka. A guard that was
        restarted meanwhile finds the setting in the connector's configuration."""
        known = self._connect.config(CONNECTOR)
        if not is_skipping(known):
            return
        if self._until_lsn is None:
            self._until_lsn = state.current_lsn
        if state.confirmed_lsn >= self._until_lsn:
            self._connect.put_config(CONNECTOR, {k: v for k, v in known.items() if k not in SKIPPING})
            self._until_lsn = None
            log.warning("skipping_ended", extra={"effect": "the next record that is too large stops the task again"})


def is_skipping(config: Mapping[str, str]) -> bool:
    return config.get("errors.tolerance") == SKIPPING["errors.tolerance"]


def report(slot: Slot, limit_bytes: int) -> None:
    """Name and count what is too large. The slot still holds it, unless a snapshot read the row.

    The WAL holds numbers, text and json in about as many bytes as the record, bytea in more, and
    with REPLICA IDENTITY FULL the old row as well. What is near the limit is named, too."""
    found = slot.large_changes(over_bytes=limit_bytes * 3 // 4)
    for change in found:
        SKIPPED.labels(change.table).inc()
        facts = {"table": change.table, "key": change.key or "-", "lsn": change.lsn, "bytes": change.size_bytes}
        log.error("record_skipped", extra={**facts, "limit_bytes": limit_bytes, "remedy": REMEDY})
    if not found:
        SKIPPED.labels("unknown").inc()
        # The WAL holds no such change, so a snapshot has read the row.
        remedy = (
            f"in the table that a snapshot was reading, find the row t with octet_length(t::text) > "
            f"{limit_bytes * 3 // 4}, make it smaller or raise the limits, and ask for the snapshot again"
        )
        facts = {"table": "unknown", "limit_bytes": limit_bytes, "remedy": remedy}
        log.error("record_skipped", extra=facts)
