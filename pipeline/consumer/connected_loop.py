"""The loop with everything it needs, connected and closed again. Knows which parts there are;
knows nothing of what they do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kafka.errors import KafkaError

from pipeline import cassandra_session
from pipeline.connecting import until_connected
from pipeline.consumer.dead_letters import DeadLetters
from pipeline.consumer.gc_tuning import tune_garbage_collector
from pipeline.consumer.loop import Loop
from pipeline.consumer.statements import Statements
from pipeline.consumer.truncations import Truncations
from pipeline.consumer.writer import Writer
from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings
from pipeline.stopping import Stop
from pipeline.stream.record_source import RecordSource


@contextmanager
def connected_loop(
    settings: Settings, connect_source: Callable[[], RecordSource], stop: Stop, only: frozenset[str] | None = None
) -> Iterator[Loop | None]:
    """A loop over the records of this source, for all tables or `only` these. None when a stop came
    before Cassandra and Kafka were reachable."""
    connect = lambda: cassandra_session.connect(settings, writes=True)  # noqa: E731
    session = until_connected("cassandra", connect, stop, retry_on=StoreUnavailable)
    source = until_connected("kafka", connect_source, stop, retry_on=KafkaError)
    if session is None or source is None:
        yield None
        return
    statements = Statements(session, settings.CASSANDRA_KEYSPACE)
    dead_letters = DeadLetters(settings)
    truncations = Truncations(session, settings.CASSANDRA_KEYSPACE, source.ends, source.is_read)
    try:
        loop = Loop(source, statements, Writer(session, statements), dead_letters, truncations, only)
        tune_garbage_collector()
        yield loop
    finally:
        source.close()
        dead_letters.close()
        session.cluster.shutdown()
