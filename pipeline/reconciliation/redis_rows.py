"""The current rows in Redis, and what they should be: the JSON that consumer_to_redis.py makes of a
row, taken apart into columns. Knows keys and JSON; knows nothing of PostgreSQL."""

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from pipeline.changes import Row
from pipeline.current.rows import COLUMNS, encoded, key_of
from pipeline.errors import UnwritableRecord
from pipeline.reconciliation.expectation import UNWRITABLE, Expected, change_of
from pipeline.reconciliation.filled_redis import FilledRedis
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.source_rows import Batch
from pipeline.tables import TIME
from pipeline.times import ms_to_iso

ROWS_PER_READ = 1000
# The last column of every row: null, or its text in place of all columns, when it is no row as the
# consumer writes it.
TEXT = "text"


class RedisTable:
    """The rows of one table, as a Stored: the key, the other columns as JSON, and TEXT."""

    store = "Redis"
    ttl_seconds = 0

    def __init__(self, redis: FilledRedis, name: str) -> None:
        self._redis = redis
        self._hash = redis.keys.rows(name)
        self._kinds = COLUMNS[name]
        self.columns = [*self._kinds, TEXT]
        self.key = self.columns[:1]

    def whole(self) -> Sequence[str]:
        return (self._hash,)

    def pages(self, read: str) -> Iterator[list[RawRow]]:
        """A row may come twice, and comes at least once if it was there all the time."""
        cursor = None
        while cursor != 0:
            ((cursor, page),) = self._redis.ask(("HSCAN", read, cursor or 0, "COUNT", ROWS_PER_READ))
            yield [self.row(field, text) for field, text in page.items()]

    def by_key(self, keys: Iterable[RawRow]) -> list[RawRow | None]:
        fields = [field or b"" for (field,) in keys]
        found: list[RawRow | None] = []
        for start in range(0, len(fields), ROWS_PER_READ):
            part = fields[start : start + ROWS_PER_READ]
            (texts,) = self._redis.ask(("HMGET", self._hash, *part))
            found += [None if text is None else self.row(field, text) for field, text in zip(part, texts)]
        return found

    def row(self, field: bytes, text: bytes) -> RawRow:
        """Numbers keep their digits: 1.10 is not 1.1, but 1E-8 is 0.00000001."""
        names = list(self._kinds)
        try:
            found = json.loads(text.decode(), parse_float=Decimal, parse_constant=refused)
            if list(found) == names and str(found[names[0]]).encode() == field:
                return (field, *(cell(found[name]) for name in names[1:]), None)
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            pass
        return (field, *[None] * (len(names) - 1), text)

    def value(self, name: str, raw: bytes | None) -> Any:
        if raw is None:
            return None
        if name in (*self.key, TEXT):
            return raw.decode(errors="replace").replace("\0", "\ufffd")  # which PostgreSQL can be asked for
        value = json.loads(raw, parse_float=Decimal)
        return ms_to_iso(value) if self._kinds[name] == TIME and isinstance(value, int) else value


def refused(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def cell(value: Any) -> bytes | None:
    """A value of a row. Raises TypeError for what no row of the consumer's has."""
    if value is None:
        return None
    return (str(value) if isinstance(value, Decimal) else json.dumps(value)).encode()


def streamed(table: str, row: Row) -> tuple[bytes, bytes]:
    """Field and text that the consumer writes for a row of PostgreSQL. Raises UnwritableRecord."""
    change = change_of(table, row)
    return key_of(change).encode(), encoded(change)


class RedisExpectation:
    """Rows of PostgreSQL as rows of `stored`."""

    def __init__(self, table: str, stored: RedisTable) -> None:
        self._table = table
        self._stored = stored

    def expected(self, rows: Batch) -> list[Expected]:
        return [self._expected(row) for row, _ in rows]

    def _expected(self, row: Row) -> Expected:
        try:
            field, text = streamed(self._table, row)
        except UnwritableRecord:
            return Expected((key_of(change_of(self._table, row)).encode(),), UNWRITABLE)
        return Expected((field,), self._stored.row(field, text))
