"""The messages that PostgreSQL's output plug-in pgoutput (protocol version 1) sends, as far as they
say which row a change belongs to. Knows bytes; knows no connection."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_KEY_COLUMNS = 3
MAX_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class LargeChange:
    """One change of the WAL. `key`: the columns that identify the row, e.g. `id=7`; empty when they
    cannot be read. `size_bytes`: as pgoutput sends it; the record in Kafka is of a similar size."""

    table: str
    key: str
    size_bytes: int
    lsn: str


@dataclass(frozen=True, slots=True)
class Relation:
    """What a Relation message declares: the columns in order, and whether each is in the key."""

    table: str
    columns: tuple[tuple[str, bool], ...]


def large_changes(messages: Iterable[tuple[str, int, bytes]], over_bytes: int) -> Iterator[LargeChange]:
    """Changes of more than `over_bytes`, from (LSN, size, the first bytes) of each message. A
    Relation message precedes the first change of its table and must be complete."""
    relations: dict[int, Relation] = {}
    for lsn, size_bytes, data in messages:
        kind = data[:1]
        if kind == b"R":
            relations[_int32(data, 1)] = _relation(data)
        elif kind in (b"I", b"U", b"D") and size_bytes > over_bytes:
            relation = relations.get(_int32(data, 1), Relation("unknown", ()))
            yield LargeChange(relation.table, _key(data, relation), size_bytes, lsn)


def _int32(data: bytes, start: int) -> int:
    return struct.unpack_from(">I", data, start)[0]


def _text(data: bytes, start: int) -> tuple[str, int]:
    """The text that ends with a zero byte, and the position after that."""
    end = data.index(b"\0", start)
    return data[start:end].decode("utf-8", "replace"), end + 1


def _relation(data: bytes) -> Relation:
    schema, start = _text(data, 5)
    name, start = _text(data, start)
    [count] = struct.unpack_from(">H", data, start + 1)  # after the replica identity
    start += 3
    columns = []
    for _ in range(count):
        in_key = bool(data[start] & 1)
        column, start = _text(data, start + 1)
        start += 8  # type and type modifier
        columns.append((column, in_key))
    return Relation(f"{schema}.{name}", tuple(columns))


def _key(data: bytes, relation: Relation) -> str:
    """The key columns of the first tuple: the old row when it is there, else the new one."""
    start = 8  # kind, relation, kind of tuple, number of columns
    found: list[str] = []
    for column, in_key in relation.columns:
        if start >= len(data) or len(found) == MAX_KEY_COLUMNS:
            break
        kind = data[start : start + 1]
        start += 1
        if kind != b"t":  # n: null, u: a TOASTed value that was left alone
            continue
        if start + 4 > len(data):
            break
        length = _int32(data, start)
        start += 4
        if in_key:
            value = data[start : min(start + length, start + MAX_SHOWN_CHARACTERS)].decode("utf-8", "replace")
            found.append(f"{column}={value}")
        start += length
    return " ".join(found)
