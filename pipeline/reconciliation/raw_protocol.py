"""Rows of Cassandra as the bytes in which they are stored: nothing is decoded, so nothing is
rounded, and a row costs a fraction of the time. The driver's documentation describes such protocol
handlers; what is used beyond it was read in version 3.30. Knows nothing of tables."""

import struct
from typing import Any

from cassandra.cluster import Session
from cassandra.protocol import ResultMessage, _ProtocolHandler

RawRow = tuple[bytes | None, ...]

_LENGTH = struct.Struct(">i").unpack_from


class RawResult(ResultMessage):
    """A result whose rows are tuples of bytes, None for null."""

    # The driver looks types up in both directions.
    code_to_type = {kind: code for code, kind in ResultMessage.type_codes.items()}

    def recv_results_rows(
        self, f: Any, protocol_version: int, user_type_map: Any, result_metadata: Any, column_encryption_policy: Any
    ) -> None:
        self.recv_results_metadata(f, user_type_map)
        metadata = self.column_metadata or result_metadata
        self.column_names = [column[2] for column in metadata]
        self.column_types = [column[3] for column in metadata]
        self.parsed_rows = raw_rows(f.read(), len(metadata))


class RawProtocolHandler(_ProtocolHandler):
    message_types_by_opcode = _ProtocolHandler.message_types_by_opcode | {RawResult.opcode: RawResult}


def raw_rows(body: bytes, columns: int) -> list[RawRow]:
    """The rows of a result: their number, then each value with its length; a negative length is
    null."""
    (count,) = _LENGTH(body)
    rows: list[RawRow] = []
    at = 4
    numbers = range(columns)
    for _ in range(count):
        row: list[bytes | None] = []
        for _ in numbers:
            (length,) = _LENGTH(body, at)
            at += 4
            if length < 0:
                row.append(None)
            else:
                row.append(body[at : at + length])
                at += length
        rows.append(tuple(row))
    return rows


def as_they_come(_names: list[str], rows: list[RawRow]) -> list[RawRow]:
    """The row factory of such a session."""
    return rows


def read_raw(session: Session) -> None:
    """From now on the session returns raw rows."""
    session.client_protocol_handler = RawProtocolHandler
