"""Gives the later of two changes of one row in one transaction the larger version. PostgreSQL gives
both the same commit time, and of two writes with equal timestamps Cassandra lets a delete win,
otherwise the larger value. Knows neither Kafka nor Cassandra."""

from collections.abc import Hashable

# How many rows of one transaction are remembered; after that it counts as a new transaction.
MAX_ROWS = 200_000


class TieBreaker:
    """Remembers, per Kafka partition, which rows the last transaction has changed: the next poll
    may change them again. They are forgotten when the next transaction starts. A restart in the
    middle of a transaction forgets them too: only then can two changes of a row be written with
    equal versions."""

    def __init__(self) -> None:
        self._transactions: dict[Hashable, tuple[int, dict[Hashable, int]]] = {}
        self._versions_us: dict[Hashable, int] = {}  # by row, in the current transaction

    def start_transaction(self, partition: Hashable, commit_us: int) -> None:
        """The changes that follow belong to this Kafka partition and transaction, which may be the
        one that the partition had last."""
        last_commit_us, versions_us = self._transactions.get(partition, (None, {}))
        if last_commit_us != commit_us or len(versions_us) > MAX_ROWS:
            versions_us = {}
            self._transactions[partition] = (commit_us, versions_us)
        self._versions_us = versions_us

    def version_us(self, identity: Hashable, version_us: int) -> int:
        """`version_us`, or 1 µs more than what this transaction last gave to the same row."""
        last_us = self._versions_us.get(identity)
        if last_us is not None and last_us >= version_us:
            version_us = last_us + 1
        self._versions_us[identity] = version_us
        return version_us
