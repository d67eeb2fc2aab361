"""Changes of one row within one transaction have one commit time, and of equal write timestamps
Cassandra lets a delete win, else the larger value. Here the later one gets the larger version.
Knows neither Kafka nor Cassandra."""

from collections.abc import Hashable

# Rows of one transaction that are remembered; a transaction that is larger is followed in parts.
MOST_ROWS = 200_000


class TieBreaker:
    """Remembers, per Kafka partition, which rows the transaction at its end has changed: they may
    be changed again in the next poll. Forgotten with the next transaction, so a restart in the
    middle of one is the only time when two changes of a row can meet with equal versions."""

    def __init__(self) -> None:
        self._transactions: dict[Hashable, tuple[int, dict[Hashable, int]]] = {}
        self._rows: dict[Hashable, int] = {}

    def start_transaction(self, partition: Hashable, commit_us: int) -> None:
        """The changes that follow are of this Kafka partition and transaction."""
        known_us, rows = self._transactions.get(partition, (None, {}))
        if known_us != commit_us or len(rows) > MOST_ROWS:
            rows = {}
            self._transactions[partition] = (commit_us, rows)
        self._rows = rows

    def version_us(self, identity: Hashable, version_us: int) -> int:
        """`version_us`, or the next one after what this transaction gave to the same row before."""
        before = self._rows.get(identity)
        if before is not None and before >= version_us:
            version_us = before + 1
        self._rows[identity] = version_us
        return version_us
