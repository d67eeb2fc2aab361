"""Whether changes really flow: heartbeats that arrive in Kafka, and topics that vanish. Pure: what
was seen goes in, and the time."""

from collections.abc import Callable
from dataclasses import dataclass

from debezium.topics import TopicsState


@dataclass(frozen=True, slots=True)
class Flow:
    """`silent_seconds`: since the last heartbeat in Kafka or the last remedy, whichever is later.
    `flowing_seconds`: for how long heartbeats have been arriving without a gap; None before the
    first one since the last remedy. `deleted_topics`: tables whose topic was there before."""

    silent_seconds: float
    flowing_seconds: float | None = None
    deleted_topics: tuple[str, ...] = ()


class FlowWatch:
    """Compares what one round sees in Kafka with what earlier rounds saw."""

    def __init__(self, clock: Callable[[], float], max_gap_seconds: float) -> None:
        self._clock = clock
        self._max_gap_seconds = max_gap_seconds
        self._end: int | None = None
        self._arrived_at = clock()
        self._judged_from = clock()
        self._flowing_since: float | None = None
        self._tables: frozenset[str] = frozenset()

    def heartbeat_age_seconds(self) -> float:
        """Since the last heartbeat arrived, or since the start before the first."""
        return self._clock() - self._arrived_at

    def seen(self, topics: TopicsState, published: frozenset[str]) -> Flow:
        """`published`: the tables whose changes the connector sends now. The topic of another table
        may be deleted."""
        now = self._clock()
        arrived = self._end is not None and topics.heartbeat_end > self._end
        self._end = topics.heartbeat_end
        if now - self._arrived_at > self._max_gap_seconds:
            self._flowing_since = None
        if arrived:
            self._arrived_at = now
            if self._flowing_since is None:
                self._flowing_since = now
        self._tables |= topics.tables
        return Flow(
            silent_seconds=now - max(self._arrived_at, self._judged_from),
            flowing_seconds=None if self._flowing_since is None else now - self._flowing_since,
            deleted_topics=tuple(sorted((self._tables - topics.tables) & published)),
        )

    def judge_from_now(self) -> None:
        """A remedy was applied: what happened before says nothing about it. Topics that are missing
        now are created again by the connector when their next record comes."""
        self._judged_from = self._clock()
        self._flowing_since = None
        self._tables = frozenset()

    def pause(self) -> None:
        """No heartbeat is written now, e.g. during a snapshot."""
        self._judged_from = self._clock()
