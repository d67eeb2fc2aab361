"""A request for rows of a mirrored table, checked against the table's key. Knows nothing else of
HTTP and nothing of how rows are read."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from cassandra.util import Date

from pipeline.api import parameters as p
from pipeline.api.key_values import BAD_VALUE, INSTANT_EXPECTED, PARSERS, instant
from pipeline.api.query import BadParameter
from pipeline.api.table_key import ISO_TEXT, MICROSECONDS, TableKey
from pipeline.times import DAY_MS, ms_to_iso

RESERVED = ("from", "to", "limit", "cursor")
# In front of a key column whose name is one of RESERVED.
PREFIX = "key."
CURSOR_EXPECTED = "a cursor from a Link header"
MAX_CURSOR_LENGTH = 4000
CHECKSUM_BYTES = 8


@dataclass(frozen=True, slots=True)
class TableQuery:
    """Rows of one partition. `start` inclusive and `end` exclusive are values of the time column.
    `paging_state` is Cassandra's own."""

    values: tuple[Any, ...]
    start: Any = None
    end: Any = None
    limit: int = p.DEFAULT_LIMIT
    paging_state: bytes | None = None


def read_table_query(arguments: Sequence[tuple[str, str]], key: TableKey) -> TableQuery:
    """Raises BadParameter for a bad, unknown, repeated or missing parameter."""
    names = {parameter_name(column): column for column in key.partition}
    given = once_each(arguments, [*names, *(RESERVED if key.time else RESERVED[2:])])
    values = tuple(key_value(name, column, given, key) for name, column in names.items())
    start, end = (bound(name, given, key) for name in ("from", "to"))
    if "from" in given and "to" in given and instant(given["from"]) > instant(given["to"]):
        raise BadParameter("from", "from must not be after to")
    limit = parsed("limit", given, p.LIMIT.parse, p.LIMIT.expected) if "limit" in given else p.DEFAULT_LIMIT
    query = TableQuery(values, start, end, limit)
    if "cursor" not in given:
        return query
    return replace(query, paging_state=parsed("cursor", given, lambda text: paging_state(text, query), CURSOR_EXPECTED))


def parameter_name(column: str) -> str:
    return PREFIX + column if column in RESERVED else column


def once_each(arguments: Iterable[tuple[str, str]], known: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, text in arguments:
        if name not in known:
            raise BadParameter(name[:50], f"this table has no such parameter; it takes {', '.join(known)}")
        if name in given:
            raise BadParameter(name, f"{name} is given twice")
        given[name] = text
    return given


def key_value(name: str, column: str, given: dict[str, str], key: TableKey) -> Any:
    kind = key.columns[column]
    if kind not in PARSERS:
        raise BadParameter(name, f"{name} is a {kind}, which cannot be given in an address")
    parse, expected = PARSERS[kind]
    if name not in given:
        raise BadParameter(name, f"{name} must be given: expected {expected}")
    if not given[name] and len(key.partition) == 1:
        raise BadParameter(name, f"{name}: expected {expected}, not empty")
    return parsed(name, given, parse, expected)


def parsed(name: str, given: dict[str, str], parse: Any, expected: str) -> Any:
    try:
        return parse(given[name])
    except BAD_VALUE:
        raise BadParameter(name, f"{name}: expected {expected}") from None


def bound(name: str, given: dict[str, str], key: TableKey) -> Any:
    """`from` or `to` as a value of the time column; a date counts as its midnight."""
    if name not in given:
        return None
    ms = parsed(name, given, instant, INSTANT_EXPECTED)
    if key.time_kind == "date":
        return Date(-(-ms // DAY_MS))  # the first midnight that is not before it
    if key.time_kind == ISO_TEXT:
        return ms_to_iso(ms)
    return ms * 1000 if key.time_kind == MICROSECONDS else ms


def cursor_text(state: bytes, query: TableQuery) -> str:
    """Begins with a checksum of the query, because Cassandra answers a place of another partition,
    or no place at all, with an internal error."""
    return urlsafe_b64encode(checksum(state, query) + state).decode().rstrip("=")


def paging_state(text: str, query: TableQuery) -> bytes:
    """The inverse of `cursor_text`. Raises ValueError for a cursor of another query."""
    if not text.isascii() or len(text) > MAX_CURSOR_LENGTH:
        raise ValueError(text)
    sent = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    state = sent[CHECKSUM_BYTES:]
    if not state or sent[:CHECKSUM_BYTES] != checksum(state, query):
        raise ValueError(text)
    return state


def checksum(state: bytes, query: TableQuery) -> bytes:
    asked = repr((query.values, str(query.start), str(query.end), state)).encode()
    return blake2b(asked, digest_size=CHECKSUM_BYTES).digest()
