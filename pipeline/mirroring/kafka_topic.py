"""The topic of a mirrored table, where its number of Kafka partitions matters. The order of changes
is known within a Kafka partition only, and Debezium chooses that by PostgreSQL's primary key
(docs/decisions/0002-which-version-orders-two-writes.md). Knows kafka-python."""

from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from pipeline import kafka_connection
from pipeline.mirroring.kafka_progress import KafkaUnavailable
from pipeline.mirroring.keys import Key
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.source_table import SourceTable
from pipeline.settings import Settings

# As debezium/connector.json has them for the topics that Connect creates.
TOPIC_SETTINGS = {"retention.ms": "604800000", "max.message.bytes": "16777216", "cleanup.policy": "delete"}


def needs_one_partition(source: SourceTable, key: Key) -> bool:
    """Whether one row of Cassandra can be written by several rows of PostgreSQL in turn, which may
    even happen in one transaction; or whether the records have no key at all."""
    return not source.primary_key or not set(source.primary_key) <= set(key.columns)


class KafkaTopic:
    """The topic of one table. Every method raises KafkaUnavailable."""

    def __init__(self, settings: Settings, table: str) -> None:
        self.name = f"{settings.TOPIC_PREFIX}.public.{table}"
        self._settings = settings

    def partitions(self) -> int:
        """0 if there is no such topic."""
        try:
            admin = kafka_connection.admin(self._settings)
            try:
                if self.name not in admin.list_topics():
                    return 0
                return sum(len(topic["partitions"]) for topic in admin.describe_topics([self.name]))
            except UnknownTopicOrPartitionError:
                return 0
            finally:
                admin.close()
        except KafkaError as error:
            raise KafkaUnavailable(f"partitions of {self.name}: {error}") from error

    def create(self) -> None:
        """With one partition."""
        try:
            admin = kafka_connection.admin(self._settings)
            try:
                copies = self._settings.KAFKA_REPLICATION_FACTOR
                admin.create_topics([NewTopic(self.name, 1, copies, topic_configs=TOPIC_SETTINGS)], timeout_ms=10_000)
            except TopicAlreadyExistsError:
                pass
            finally:
                admin.close()
        except KafkaError as error:
            raise KafkaUnavailable(f"{self.name}: {error}") from error


def check_partitions(source: SourceTable, key: Key, topic: str, partitions: int) -> None:
    """Raises MirrorRefused if the topic has several, and one is needed."""
    if partitions <= 1:
        return
    missing = [name for name in source.primary_key if name not in key.columns]
    longer = f"--key {','.join([*key.columns, *missing])}, or " if missing else ""
    raise MirrorRefused(
        f"the topic {topic} has {partitions} Kafka partitions, and this key needs one: else the order in which rows "
        f"of PostgreSQL take the same key is lost. {longer}--stop, delete the topic "
        f"(kafka-topics.sh --delete --topic {topic}) and run this again"
    )
