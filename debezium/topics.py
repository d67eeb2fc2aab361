"""The topics of the captured tables: which exist, how many heartbeats have arrived, how large a
record may be. Knows Kafka's administration; knows nothing of Connect or PostgreSQL."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from pipeline import kafka_connection
from pipeline.errors import PipelineError
from pipeline.settings import Settings

HEARTBEAT = "debezium_heartbeat"
LIMIT = "max.message.bytes"
TIMEOUT_MS = 5000
ADMIN_OPTIONS = {"client_id": "crypto-guard", "bootstrap_timeout_ms": TIMEOUT_MS, "request_timeout_ms": TIMEOUT_MS}
LATEST = -1  # as the protocol spells "the end of the partition"
Answer = TypeVar("Answer")


class KafkaUnavailable(PipelineError):
    """Kafka does not answer. A retry can succeed."""

    retriable = True


@dataclass(frozen=True, slots=True)
class TopicsState:
    """`tables`: those that have a topic. `heartbeat_end`: where the next heartbeat record will be
    stored, summed over the Kafka partitions; it grows with every record."""

    tables: frozenset[str]
    heartbeat_end: int


class Topics:
    """The topics `<prefix>.public.<table>` through one connection, which is opened when it is
    needed and again after an error. Every method raises KafkaUnavailable."""

    def __init__(self, prefix: str, connect: Callable[[], Any]) -> None:
        self._prefix = f"{prefix}.public."
        self._connect = connect
        self._admin: Any = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.TOPIC_PREFIX,
            lambda: kafka_connection.admin(settings, **ADMIN_OPTIONS),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def state(self) -> TopicsState:
        return self._call(self._state)

    def raise_limits(self, limit_bytes: int) -> list[str]:
        """Let every topic take records of `limit_bytes`. Topics that Connect creates do so from the
        start; this is for those that are older. Returns the changed topics."""
        return self._call(lambda admin: self._raise_limits(admin, limit_bytes))

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _call(self, ask: Callable[[Any], Answer]) -> Answer:
        try:
            if self._admin is None:
                self._admin = self._connect()
            return ask(self._admin)
        # A closed connection shows up as OSError or ValueError of the library's event loop, too,
        # and a topic that is deleted meanwhile as a LookupError.
        except (KafkaError, OSError, ValueError, LookupError) as error:
            self.close()
            raise KafkaUnavailable(f"Kafka: {type(error).__name__} {error}") from error

    def _names(self, admin: Any) -> list[str]:
        return [name for name in admin.list_topics() if name.startswith(self._prefix)]

    def _state(self, admin: Any) -> TopicsState:
        names = self._names(admin)
        heartbeat = self._prefix + HEARTBEAT
        end = 0
        if heartbeat in names:
            [topic] = admin.describe_topics([heartbeat])
            places = {TopicPartition(heartbeat, each["partition_index"]): LATEST for each in topic["partitions"]}
            ends = admin.list_partition_offsets(places, timeout_ms=TIMEOUT_MS) if places else {}
            end = sum(each.offset for each in ends.values())
        return TopicsState(frozenset(name.removeprefix(self._prefix) for name in names), end)

    def _raise_limits(self, admin: Any, limit_bytes: int) -> list[str]:
        names = self._names(admin)
        if not names:
            return []
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name, configs={LIMIT: None}) for name in names]
        found = admin.describe_configs(wanted, config_filter="all")["topic"]
        low = sorted(name for name in names if int(found[name][LIMIT]["value"]) < limit_bytes)
        if low:
            changed = {LIMIT: str(limit_bytes)}
            admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name, configs=changed) for name in low], incremental=True
            )
        return low
