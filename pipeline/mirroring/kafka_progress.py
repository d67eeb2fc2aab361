"""How far a table's records are: how many Kafka has received, how many the consumer has committed.
Asks for offsets only, so it costs nothing however large the table is. Knows kafka-python."""

from dataclasses import dataclass

from kafka.errors import KafkaError

from pipeline import kafka_connection
from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.stream.kafka_offsets import committed_of, ends_of, partitions_of_topic


class KafkaUnavailable(PipelineError):
    """Kafka does not answer."""

    retriable = True


@dataclass(frozen=True, slots=True)
class Position:
    """Records of the topic since it was created: `received` by Kafka, `written` by the consumer."""

    received: int = 0
    written: int = 0

    def since(self, start: "Position") -> "Position":
        """Counted from where Kafka was at `start`; what was written of earlier records is not
        counted."""
        return Position(self.received - start.received, max(0, self.written - start.received))

    @property
    def pending(self) -> int:
        """Records that the consumer has not written yet."""
        return self.received - self.written


class KafkaProgress:
    """Offsets of one table's topic, as a stranger to the consumer group: it reads the group's
    committed offsets and never joins."""

    def __init__(self, settings: Settings, table: str) -> None:
        self._topic = f"{settings.TOPIC_PREFIX}.public.{table}"
        try:
            self._consumer = kafka_connection.consumer(
                settings,
                group_id=settings.CONSUMER_GROUP,
                client_id="crypto-mirror",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                metadata_max_age_ms=1000,
            )
        except KafkaError as error:
            raise KafkaUnavailable(f"Kafka: {error}") from error

    def position(self) -> Position:
        """Raises KafkaUnavailable."""
        try:
            partitions = partitions_of_topic(self._consumer, self._topic)
            ends = ends_of(self._consumer, partitions)
            committed = [committed_of(self._consumer, partition) for partition in partitions]
        except KafkaError as error:
            raise KafkaUnavailable(f"offsets of {self._topic}: {error}") from error
        return Position(sum(ends.values()), sum(committed))

    def close(self) -> None:
        self._consumer.close()
