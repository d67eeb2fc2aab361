"""Writes of one prepared statement as frames of Cassandra's native protocol, version 5: a row by
itself, or several as one unlogged batch. Knows the protocol; knows nothing of connections or of
tables."""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from cassandra.query import UNSET_VALUE, PreparedStatement

VERSION = 5
EXECUTE, BATCH, RESULT = 0x0A, 0x0D, 0x08
UNLOGGED, PREPARED = b"\x01", b"\x01"
WITH_VALUES, WITH_NOTHING = 1, 0

header = struct.Struct(">BBhBi").pack
short = struct.Struct(">H").pack
integer = struct.Struct(">i").pack
consistency_and_flags = struct.Struct(">Hi").pack

NULL, UNSET = integer(-1), integer(-2)
# The lengths that nearly all values have.
LENGTHS = tuple(map(integer, range(256)))


def values(row: Sequence[Any]) -> bytes:
    """Each value after its length in bytes."""
    parts: list[bytes] = []
    for value in row:
        if value is None:
            parts.append(NULL)
        elif value is UNSET_VALUE:
            parts.append(UNSET)
        else:
            size = len(value)
            parts += (LENGTHS[size] if size < 256 else integer(size), value)
    return b"".join(parts)


class Message(NamedTuple):
    """A request without the number of its stream."""

    opcode: int
    body: bytes

    def frame(self, stream: int) -> bytes:
        return header(VERSION, 0, stream, self.opcode, len(self.body)) + self.body


def message(prepared: PreparedStatement, rows: Sequence[Sequence[Any]], consistency: int) -> Message:
    """No time is sent beside the values: every statement of the consumer says USING TIMESTAMP."""
    if len(rows) == 1:
        return Message(EXECUTE, b"".join(execute_body(prepared, rows[0], consistency)))
    return Message(BATCH, b"".join(batch_body(prepared, rows, consistency)))


def execute_body(prepared: PreparedStatement, row: Sequence[Any], consistency: int) -> Iterable[bytes]:
    return (
        short(len(prepared.query_id)),
        prepared.query_id,
        short(len(prepared.result_metadata_id)),
        prepared.result_metadata_id,
        consistency_and_flags(consistency, WITH_VALUES),
        short(len(row)),
        values(row),
    )


def batch_body(prepared: PreparedStatement, rows: Sequence[Sequence[Any]], consistency: int) -> Iterable[bytes]:
    query = PREPARED + short(len(prepared.query_id)) + prepared.query_id + short(len(rows[0]))
    content = (UNLOGGED, short(len(rows)), query, query.join(map(values, rows)))
    return (*content, consistency_and_flags(consistency, WITH_NOTHING))
