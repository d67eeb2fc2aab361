"""The names of the keys in Redis: what is true now, how far it is read, whether it is complete.
docs/redis.md describes each for people. Knows no library.

Every structure is bounded by the number of symbols or of Kafka partitions."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.tables import BOOKS, DATA_SOURCE, INSTRUMENTS, PRICES, STATS

# The tables whose current rows are in Redis, each a hash from the row's key to the row as JSON.
CURRENT_TABLES = (PRICES.name, STATS.name, BOOKS.name, INSTRUMENTS.name, DATA_SOURCE)


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys begin with `prefix`, e.g. `crypto:latest_prices`."""

    prefix: str

    def rows(self, table: str) -> str:
        """Hash: symbol to row, as JSON with exact numbers and times in ms."""
        return f"{self.prefix}:{table}"

    def versions(self, table: str) -> str:
        """Hash: symbol to version in µs; also of rows that were deleted lately."""
        return f"{self.prefix}:versions:{table}"

    @property
    def floors(self) -> str:
        """Hash: table to commit time in µs of its last TRUNCATE; older rows are refused."""
        return f"{self.prefix}:floors"

    @property
    def deleted(self) -> str:
        """Sorted set: `table symbol` of deleted rows, by version in µs."""
        return f"{self.prefix}:deleted"

    @property
    def tracked(self) -> str:
        """Sorted set: symbol, by the time in ms until which it counts as tracked."""
        return f"{self.prefix}:tracked"

    @property
    def positions(self) -> str:
        """Hash: `topic/partition` to the offset to read next. Moves in the same step as the
        rows."""
        return f"{self.prefix}:positions"

    @property
    def states(self) -> str:
        """Hash: `topic/partition` to the state of its row versions at the position."""
        return f"{self.prefix}:states"

    @property
    def applied(self) -> str:
        """Hash: `topic/partition` to the time in ms, by Redis' clock, up to which everything that
        was in Kafka is here. The watermark is the smallest."""
        return f"{self.prefix}:applied"

    @property
    def awaiting(self) -> str:
        """Set: tables whose older rows only a snapshot brings, which is still to be taken."""
        return f"{self.prefix}:awaiting_snapshot"

    @property
    def complete(self) -> str:
        """Exists once every current row is here, with another value after each rebuild. Gone with
        everything else when Redis loses its memory."""
        return f"{self.prefix}:complete"

    @property
    def rebuilder(self) -> str:
        """The consumer that sees to the rebuild, for some seconds."""
        return f"{self.prefix}:rebuilder"

    def __iter__(self) -> Iterator[str]:
        """Every key."""
        for table in CURRENT_TABLES:
            yield self.rows(table)
            yield self.versions(table)
        yield from (self.floors, self.deleted, self.tracked, self.positions, self.states, self.applied)
        yield from (self.awaiting, self.complete, self.rebuilder)
