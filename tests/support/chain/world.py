"""The chain's processes, each of which can be killed and started again. Knows how; when is the
scenario's business."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from cassandra.cluster import Session
from cassandra.query import dict_factory
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from local.ports import free_ports
from local.stack import Stack
from pipeline import cassandra_session
from pipeline.settings import load
from tests.support.chain import truth
from tests.support.chain.load import RATE, Load
from tests.support.program import Program
from tests.support.waiting import wait_until

AUDIT = Path(__file__).with_name("audit.sql")
SERVICES = ("postgres", "postgres-schema", "kafka", "connect", "connector", "cassandra", "cassandra-schema")
GROUP = "crypto-cassandra"


class World:
    """A running stack of SERVICES with our consumer and guard. The stack belongs to the caller."""

    def __init__(self, stack: Stack, folder: Path, rate: float = RATE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.stack = stack
        self.rate = rate
        self._folder = folder
        self.settings = load("consumer", environ=stack.environ, dotenv="/dev/null")
        self.programs: dict[str, Program] = {}
        self._ports: dict[str, int] = {}
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(AUDIT.read_text())
            cursor.execute("SELECT create_trade_day(current_date), create_trade_day(current_date + 1)")
        self.store = self._session("crypto_reader", self.settings.CASSANDRA_READER_PASSWORD)
        self.store_admin = self._session("cassandra", self.settings.CASSANDRA_ADMIN_PASSWORD)
        self.start_program("consumer")
        self.start_program("guard")
        for name in self.programs:
            wait_until(self.programs[name].healthy, 60, f"the {name}'s health; {self.programs[name].log}")

    def close(self) -> None:
        for program in self.programs.values():
            program.kill()
        for session in (self.store, self.store_admin):
            session.cluster.shutdown()

    # --- processes

    def start_program(self, name: str, **environ: str) -> Program:
        """`consumer`, `guard`, or one more consumer under any other name; its log goes on where it
        ended."""
        port = self._ports.setdefault(name, free_ports(1)[0])
        command = ["-m", "debezium.guard"] if name == "guard" else ["consumer_to_cassandra.py"]
        settings = {**self.stack.environ, "CONSUMER_GROUP": GROUP, "METRICS_PORT": str(port), **environ}
        self.programs[name] = Program(command, settings, self._folder / f"{name}.log", port)
        return self.programs[name]

    def kill(self, name: str) -> None:
        """kill -9, with all its children."""
        if name in self.programs:
            self.programs[name].kill()
        else:
            self.stack.kill(name, signal.SIGKILL)

    def start(self, name: str) -> None:
        """After `kill` or `stop`; returns when it is ready."""
        if name in self.programs:
            program = self.start_program(name)
            wait_until(lambda: program.healthy() is not None, 60, f"the {name} to answer; {program.log}")
        else:
            self.stack.start_service(name)
            self.stack.wait_ready(name)

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """SIGTERM before, started again after."""
        if name in self.programs:
            self.programs[name].stop()
        else:
            self.stack.stop_service(name)
        yield
        self.start(name)

    # --- the two ends

    def connect(self) -> psycopg2.extensions.connection:
        """A superuser's connection to PostgreSQL."""
        return psycopg2.connect(
            host=self.settings.PGHOST,
            port=self.settings.PGPORT,
            dbname=self.settings.PGDATABASE,
            user="postgres",
            password=self.settings.POSTGRES_PASSWORD,
            options="-c timezone=UTC",
            connect_timeout=5,
        )

    def sql(self, statement: str, *values: object) -> list[tuple]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def _session(self, role: str, password: str) -> Session:
        session = cassandra_session.login(self.settings, role, password, dict_factory, self.settings.CASSANDRA_KEYSPACE)
        session.default_fetch_size = 5000
        return session

    def load(self, prefix: str, seed: int) -> Load:
        return Load(self.connect, prefix, seed, self.rate)

    def findings(self, prefix: str) -> truth.Findings:
        """What differs now. A store that is just coming back is a difference too."""
        try:
            with self.connect() as connection:
                return truth.compare(connection, self.store, prefix)
        except cassandra_session.AWAY as error:
            return truth.Findings([f"Cassandra cannot be read: {error}"], 0)

    # --- Kafka

    def topic(self, table: str) -> str:
        return f"{self.settings.TOPIC_PREFIX}.public.{table}"

    def send(self, table: str, value: bytes, partition: int) -> None:
        producer = KafkaProducer(bootstrap_servers=list(self.settings.KAFKA_BOOTSTRAP_SERVERS), acks="all")
        try:
            producer.send(self.topic(table), key=b"sent by a test", value=value, partition=partition).get(timeout=30)
        finally:
            producer.close()

    def records(self, topic: str) -> list[ConsumerRecord]:
        """All there are now; none when there is no such topic."""
        consumer = KafkaConsumer(bootstrap_servers=list(self.settings.KAFKA_BOOTSTRAP_SERVERS))
        try:
            if topic not in consumer.topics():
                return []
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            consumer.seek_to_beginning()
            ends, found = consumer.end_offsets(partitions), []
            deadline = time.monotonic() + 60
            while any(consumer.position(partition) < end for partition, end in ends.items()):
                assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
                for records in consumer.poll(timeout_ms=500).values():
                    found += records
            return found
        finally:
            consumer.close()

    def dead_letters(self) -> list[ConsumerRecord]:
        return self.records(f"{self.settings.TOPIC_PREFIX}.dead_letters")

    def members(self) -> set[str]:
        """Ids of the group's members; one that leaves and comes back has a new one."""
        admin = KafkaAdminClient(bootstrap_servers=list(self.settings.KAFKA_BOOTSTRAP_SERVERS))
        try:
            return {member["member_id"] for member in admin.describe_groups([GROUP])[GROUP]["members"]}
        finally:
            admin.close()

    def lag_records(self) -> int:
        """Records of the five tables that the group has not committed."""
        consumer = KafkaConsumer(
            bootstrap_servers=list(self.settings.KAFKA_BOOTSTRAP_SERVERS), group_id=GROUP, enable_auto_commit=False
        )
        try:
            topics = [self.topic(table) for table in (*truth.HISTORY_KEYS, "klines")]
            there = consumer.topics().intersection(topics)
            partitions = [TopicPartition(t, number) for t in there for number in consumer.partitions_for_topic(t)]
            ends = consumer.end_offsets(partitions)
            return sum(end - (consumer.committed(partition) or 0) for partition, end in ends.items())
        finally:
            consumer.close()
