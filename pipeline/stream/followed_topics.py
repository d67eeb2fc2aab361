"""Which topics are followed: those of the tables that Cassandra has, as far as Kafka lists them.
Knows nothing of kafka-python; subscribes to nothing."""

from collections.abc import Iterable, Mapping, Set

# How long a topic must be missing before it counts as deleted: a broker that restarts lists none.
DELETED_AFTER_SECONDS = 60.0


class FollowedTopics:
    """`tables`: the table of each followed topic."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._listed_at: dict[str, float] = {}
        self._ids: dict[str, object] = {}
        self.tables: dict[str, str] = {}

    def of(self, table: str) -> str:
        return self._prefix + table

    def table_of(self, topic: str) -> str:
        """Also of a topic that is not followed any more: its last records may be under way."""
        return topic.removeprefix(self._prefix)

    def update(self, tables: Iterable[str], listed: Set[str], now: float) -> bool:
        """True when the subscription changes: a topic is new, or was deleted a while ago. `now` is
        in seconds by any clock."""
        self._listed_at |= dict.fromkeys(listed, now)
        wanted = {self.of(table) for table in tables} & listed
        deleted = {topic for topic in self.tables if now - self._listed_at[topic] > DELETED_AFTER_SECONDS}
        if not listed or not (wanted - self.tables.keys() or deleted):
            return False
        for topic in deleted:
            self._ids.pop(topic, None)
        topics = (self.tables.keys() | wanted) - deleted
        self.tables = {topic: self.table_of(topic) for topic in sorted(topics)}
        return True

    def recreated(self, ids: Mapping[str, object]) -> set[str]:
        """The followed topics that were deleted and created again since the last call. `ids`:
        Kafka's id of each topic, None where it is not known."""
        found = set()
        for topic, current in ids.items():
            if current is not None and self._ids.setdefault(topic, current) != current:
                self._ids[topic] = current
                found.add(topic)
        return found
