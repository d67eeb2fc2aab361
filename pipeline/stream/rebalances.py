"""What a consumer learns of the rebalances of its group. Knows kafka-python's interface for it."""

from collections import deque

from kafka import TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener


class Rebalances(ConsumerRebalanceListener):
    """`owned`: the partitions that this member had after each rebalance, the oldest first.
    kafka-python calls it in the thread of its event loop; the consumer's own thread takes the
    results."""

    def __init__(self) -> None:
        self.owned: deque[frozenset[TopicPartition]] = deque()

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """All partitions, before every rebalance; most of them come back at once and were never
        another consumer's."""

    def on_partitions_lost(self, lost: set[TopicPartition]) -> None:
        """The group went on without this member."""
        self.owned.append(frozenset())

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self.owned.append(frozenset(assigned))
