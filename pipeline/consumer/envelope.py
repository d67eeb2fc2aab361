"""One Debezium envelope as a Change. Knows JSON and what orders two changes; knows nothing of Kafka
or Cassandra."""

from typing import Any

import orjson

from pipeline.changes import Change, Truncation
from pipeline.consumer.row_versions import SNAPSHOT_MARGIN_US
from pipeline.errors import UnwritableRecord

# Debezium sends this for a TOASTed value that an update did not touch; it must never be stored.
UNAVAILABLE = "__debezium_unavailable_value"
UNAVAILABLE_BYTES = UNAVAILABLE.encode()

WITH_ROW = frozenset({"c", "u", "r", "d"})
NO_ROW = frozenset({"t", "m"})  # truncate, logical message

# A commit time outside of this is no time: PostgreSQL's own end in the year 294276.
MAX_TIME_US = 2**62


def parse(table: str, value: bytes | None) -> Change | Truncation | None:
    """The change in a record's value, with the least version that it can have; None when it holds
    none (a tombstone, a logical message). Raises UnwritableRecord when it is not an envelope."""
    if value is None:
        return None
    try:
        envelope = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise UnwritableRecord(f"not JSON: {error}") from error
    try:
        op = envelope["op"]
        if op in NO_ROW:
            return truncation(table, envelope["source"]) if op == "t" else None
        if op not in WITH_ROW:
            raise UnwritableRecord(f"unknown op {op!r}")
        row = envelope["before" if op == "d" else "after"]
        if UNAVAILABLE_BYTES in value:
            row = {column: cell for column, cell in row.items() if cell not in (UNAVAILABLE, [UNAVAILABLE])}
        elif not isinstance(row, dict):
            raise UnwritableRecord(f"op {op} without a row")
        source = envelope["source"]
        if op == "r":
            return Change(table, False, row, time_us(source) - SNAPSHOT_MARGIN_US, 0)
        commit_us = time_us(source)
        return Change(table, op == "d", row, commit_us, commit_us, whole(source.get("lsn")), whole(source.get("txId")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnwritableRecord(f"not a Debezium envelope: {type(error).__name__} {error}") from error


def truncation(table: str, source: dict[str, Any]) -> Truncation:
    return Truncation(table, time_us(source), int(source["lsn"]), whole(source.get("txId")))


def whole(value: Any) -> int | None:
    """A number of PostgreSQL's; None for whatever another producer may have written there."""
    return value if isinstance(value, int) else None


def time_us(source: dict[str, Any]) -> int:
    """When PostgreSQL committed, or when the snapshot began. Raises UnwritableRecord."""
    moment_us = int(source["ts_us"])
    if not 0 < moment_us < MAX_TIME_US:
        raise UnwritableRecord(f"source.ts_us={moment_us}: not a time in µs since 1970")
    return moment_us
