"""What is compared with what: a table of PostgreSQL with a table of Cassandra or Redis, and in
which way. Knows the meaning of this project's tables; reads nothing.

PostgreSQL holds the current truth, Cassandra in part a history of it, so that not every row of
Cassandra has its like in PostgreSQL: docs/reconciliation.md."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from pipeline.changes import INSERT, UPDATE
from pipeline.reconciliation.expectation import Expected
from pipeline.reconciliation.raw_protocol import RawRow
from pipeline.reconciliation.source_rows import Batch, SourceRows
from pipeline.reconciliation.stored_rows import StoredTable
from pipeline.tables import BOOKS, FORECASTS, KLINES, MARKET_NOW, PRICES, STATS, STORED_HOURS, TRADES, Table
from pipeline.transformations import STATS_IN_MARKET_NOW, TRANSFORMATIONS


class Way(Enum):
    """EQUAL: the same rows, both ways. NEWEST: PostgreSQL's row is the newest of its partition in
    Cassandra. CONTAINED: Cassandra has at least these rows."""

    EQUAL = auto()
    NEWEST = auto()
    CONTAINED = auto()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tables, before anything is read. `shown`: the name in reports.
    `columns`: those of Cassandra's table that come from this source; None for all that its rows
    fill. `kind`: how the consumer writes them, INSERT or UPDATE.
    `time`: the column by which a stretch of time is chosen; empty if the whole table is compared.
    `version`: the column that says when a row was written, at the latest; empty if none does.
    `lookup`: for EQUAL, the columns of Cassandra's key by which a row is found in PostgreSQL; empty
    for all of them.
    `distinct`: SQL; one row stands for all that are equal in it."""

    shown: str
    source: str
    target: str
    way: Way = Way.EQUAL
    columns: frozenset[str] | None = None
    kind: str = INSERT
    time: str = ""
    version: str = ""
    removes_extra: bool = True
    lookup: tuple[str, ...] = ()
    distinct: str = ""


def newest(table: Table) -> Pair:
    return Pair(table.name, table.name, table.name, Way.NEWEST, version=table.version)


def by_time(table: Table, removes_extra: bool = True, lookup: tuple[str, ...] = ()) -> Pair:
    return Pair(
        table.name,
        table.name,
        table.name,
        time=table.time,
        version=table.version,
        removes_extra=removes_extra,
        lookup=lookup,
    )


def in_market_now(part: str, table: Table, columns: frozenset[str]) -> Pair:
    return Pair(f"{MARKET_NOW} ({part})", table.name, MARKET_NOW, columns=columns, kind=UPDATE, lookup=("symbol",))


def hours_of(table: Table, time: str = "", distinct: str = "") -> Pair:
    name = f"{STORED_HOURS} ({table.name})"
    return Pair(name, table.name, STORED_HOURS, Way.CONTAINED, time=time, version=table.version, distinct=distinct)


# Every table that is no plain mirror. Trades are history: what PostgreSQL lacks is reported, and
# nothing of it is removed.
OWN_PAIRS: tuple[Pair, ...] = (
    newest(PRICES),
    newest(STATS),
    newest(BOOKS),
    by_time(TRADES, removes_extra=False, lookup=("symbol", "trade_id", "trade_time")),
    by_time(KLINES),
    by_time(FORECASTS),
    in_market_now("price", PRICES, frozenset({"price", "price_updated_at"})),
    in_market_now("statistics", STATS, frozenset(STATS_IN_MARKET_NOW.values())),
    hours_of(TRADES, time=TRADES.time, distinct=f"DISTINCT ON (symbol, date_trunc('hour', {TRADES.time}))"),
    hours_of(BOOKS),
)


def pairs_of(captured: set[str], stored: set[str]) -> list[Pair]:
    """The pairs of the tables that are `captured` in PostgreSQL and `stored` in Cassandra. A table
    with a transformation of the user's may become any rows: those that it should have become are
    looked for, and others are not judged."""
    own_sources = {pair.source for pair in OWN_PAIRS}
    found = [pair for pair in OWN_PAIRS if pair.source in captured and pair.target in stored]
    for name in sorted(captured & stored - own_sources):
        found.append(Pair(name, name, name, Way.CONTAINED if name in TRANSFORMATIONS else Way.EQUAL))
    return found


class Stored(Protocol):
    """A table of a store. Rows are tuples of bytes: the values of the `key`, then of the other
    `columns`; None for null. `store`: its name in reports. `ttl_seconds`: after this time the store
    drops a row by itself; 0: never. Reads raise StoreUnavailable."""

    store: str
    key: list[str]
    columns: list[str]
    ttl_seconds: int

    def whole(self) -> Sequence[Any]:
        """Reads that return every row."""

    def pages(self, read: Any) -> Iterator[list[RawRow]]:
        """The rows of a read, a page at a time."""

    def by_key(self, keys: Iterable[RawRow]) -> list[RawRow | None]:
        """The row of each key."""

    def value(self, name: str, raw: bytes | None) -> Any:
        """A column's value as a person knows it; a key also as PostgreSQL is asked for it."""


class Expecting(Protocol):
    def expected(self, rows: Batch) -> list[Expected]:
        """What the store should hold for rows of PostgreSQL."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A pair with what reads both sides. `lookup`: names for SourceRows.by_key."""

    pair: Pair
    source: SourceRows
    stored: Stored
    expectation: Expecting
    lookup: tuple[str, ...]

    @property
    def shown(self) -> str:
        return self.pair.shown

    @property
    def cassandra(self) -> StoredTable:
        """The table, for what only Cassandra has: partitions, and older states of a row."""
        assert isinstance(self.stored, StoredTable)
        return self.stored

    @property
    def ttl_seconds(self) -> int:
        return self.stored.ttl_seconds

    @property
    def may_expire(self) -> bool:
        """Whether a row that is missing may have been dropped by the store, and nothing tells."""
        return self.ttl_seconds > 0 and not self.pair.version
