"""Digests of two sets of rows, by buckets: what one side adds and the other takes away leaves zero
where both have the same rows. The memory does not depend on the number of rows. Knows no
database."""

from array import array
from collections.abc import Callable, Iterable
from marshal import dumps

from pipeline.reconciliation.raw_protocol import RawRow

MASK = 2**64 - 1
# Of marshal's formats: in later ones equal rows may have different bytes.
PLAIN = 2


def digest(row: RawRow) -> int:
    """The hash of the row's bytes; None is another value than no bytes."""
    return hash(dumps(row, PLAIN))


class Digests:
    """A row belongs to the bucket that the hash of its key says, and its digest is the hash of its
    bytes: SipHash, keyed anew in each process; both sides are digested in one process. Of two
    different sets of rows of a bucket, one in 2^64 has the same sum. Not the hash of the tuple:
    where two rows have swapped their last values, the sums of these are often equal (seen)."""

    def __init__(self, buckets: int, key_columns: int) -> None:
        self._buckets = buckets
        self._key = slice(0, key_columns)
        self._sums = array("Q", bytes(8 * buckets))
        self._counts = array("q", bytes(8 * buckets))
        self.rows = 0

    def bucket(self, key: RawRow) -> int:
        return hash(key) % self._buckets

    def add(self, rows: Iterable[RawRow]) -> None:
        """Rows of PostgreSQL."""
        sums, counts, buckets, key = self._sums, self._counts, self._buckets, self._key
        for row in rows:
            at = hash(row[key]) % buckets
            sums[at] = (sums[at] + digest(row)) & MASK
            counts[at] += 1
            self.rows += 1

    def take(self, rows: Iterable[RawRow]) -> None:
        """Rows of the store."""
        sums, counts, buckets, key = self._sums, self._counts, self._buckets, self._key
        for row in rows:
            at = hash(row[key]) % buckets
            sums[at] = (sums[at] - digest(row)) & MASK
            counts[at] -= 1

    def differing(self) -> list[int]:
        """The buckets in which the two sides are not equal."""
        return [at for at, (total, count) in enumerate(zip(self._sums, self._counts)) if total or count]

    def groups(self, max_rows: int) -> list[Callable[[RawRow], bool]]:
        """The differing buckets in groups of about `max_rows` rows at most; each as a test of a
        key."""
        found = self.differing()
        per_bucket = max(1.0, self.rows / self._buckets)
        size = max(1, int(max_rows / per_bucket))
        return [self._test(frozenset(found[start : start + size])) for start in range(0, len(found), size)]

    def _test(self, wanted: frozenset[int]) -> Callable[[RawRow], bool]:
        buckets = self._buckets
        return lambda key: hash(key) % buckets in wanted
