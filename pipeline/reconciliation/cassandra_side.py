"""Cassandra as the consumer writes it, compared with PostgreSQL. Knows the consumer's group and its
writer; decides no difference."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from cassandra.cluster import Session
from kafka import TopicPartition
from psycopg2.extensions import cursor as Cursor

from pipeline import cassandra_session
from pipeline.consumer.batches import batches
from pipeline.consumer.statements import Statements
from pipeline.consumer.writer import Pending, Writer
from pipeline.reconciliation.catalogue import Catalogue
from pipeline.reconciliation.connections import Sides
from pipeline.reconciliation.cut import Cut, Stream
from pipeline.reconciliation.expectation import Expectation
from pipeline.reconciliation.source_rows import Batch
from pipeline.reconciliation.states import Identity
from pipeline.reconciliation.targets import Target
from pipeline.settings import Settings


class Group:
    """The consumer: it commits an offset once Cassandra has confirmed everything before it."""

    name = "the consumer"

    def __init__(self, stream: Stream, group: str, tables: set[str]) -> None:
        self._stream = stream
        self._group = group
        self.tables = tables

    def reached(self, _partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._stream.committed(self._group)


class CassandraSide:
    """A Side."""

    def __init__(self, settings: Settings, sides: Sides) -> None:
        self._settings = settings
        self._sides = sides
        self._catalogue = Catalogue(sides, settings.CASSANDRA_KEYSPACE)
        self._consumer = Group(sides.stream, settings.CONSUMER_GROUP, self._catalogue.tables())

    @property
    def notes(self) -> list[str]:
        return self._catalogue.notes

    def targets(self, names: frozenset[str] | None) -> list[Target]:
        return self._catalogue.targets(self._catalogue.pairs(names))

    def snapshot(self) -> AbstractContextManager[Cursor]:
        return self._sides.snapshot()

    def cut(self, position: int) -> Cut:
        return Cut(self._sides.stream, self._consumer, position)

    @contextmanager
    def writer(self) -> Iterator["CassandraWriter"]:
        settings = self._settings
        session = cassandra_session.login(settings, "crypto_writer", settings.CASSANDRA_WRITER_PASSWORD, writes=True)
        try:
            yield CassandraWriter(session, settings.CASSANDRA_KEYSPACE)
        finally:
            session.cluster.shutdown()


class CassandraWriter:
    """`session`: of the consumer's role."""

    def __init__(self, session: Session, keyspace: str) -> None:
        self._statements = Statements(session, keyspace)
        self._writer = Writer(session, self._statements)

    def write(self, target: Target, rows: Batch, removed: Sequence[Identity], version_us: int) -> None:
        """The version is Cassandra's write time."""
        pair = target.pair
        expectation = Expectation(self._statements, pair.source, target.cassandra, pair.kind)
        encoded = expectation.encoded([row for row, is_odd in rows if not is_odd], version_us, [])
        encoded += [expectation.removal(key, version_us) for key in removed]
        self._writer.finish(Pending(list(batches(encoded))))
