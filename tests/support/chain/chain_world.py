"""The chain's processes, each of which can be killed and started again. Knows how to do it; the
scenarios decide when."""

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from cassandra.cluster import Session
from cassandra.query import dict_factory
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from local import nodes
from local.ports import free_ports
from local.stack import CHAIN, Stack
from pipeline import cassandra_session
from pipeline.settings import load
from tests.support.chain import comparison, odd_comparison
from tests.support.chain.load import RATE, Load
from tests.support.chain.odd_load import OddLoad
from tests.support.program import Program
from tests.support.restarts import start_cassandra
from tests.support.waiting import wait_until

AUDIT = Path(__file__).with_name("audit.sql")
ODD_TABLES = Path(__file__).with_name("odd_tables.sql")
# Without moments, amounts and span, which the command adds.
ODD_VALUES = """
    CREATE TABLE odd_values (id int PRIMARY KEY, measure double, pause duration, numbers frozen<list<int>>,
        words frozen<list<text>>, ids frozen<list<uuid>>, mood text, share decimal, label text, details text,
        bytes blob, ratio double, half float, day date, at_local timestamp, at_zone timestamp, clock time, address text,
        price decimal, long_text text, long_bytes blob, long_numbers frozen<list<int>>,
        long_moments frozen<list<timestamp>>, long_amounts frozen<list<decimal>>)
"""
MIRROR_COMMANDS = (("odd_values",), ("odd_places", "--key", "shelf,slot"), ("odd_totals",))
TABLES = (*comparison.HISTORY_KEYS, "klines", *odd_comparison.KEYS)
GROUP = "crypto-cassandra"


class ChainWorld:
    """A running stack of CHAIN with a consumer and the guard. The caller stops the stack."""

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
        self.cassandra = self._session("crypto_reader", self.settings.CASSANDRA_READER_PASSWORD)
        self.cassandra_admin = self._session("cassandra", self.settings.CASSANDRA_ADMIN_PASSWORD)
        self.start_program("consumer")
        self.start_program("guard")
        for name in self.programs:
            wait_until(self.programs[name].healthy, 60, f"the {name}'s health; {self.programs[name].log}")
        self._mirror_odd_tables()

    def close(self) -> None:
        for program in self.programs.values():
            program.kill()
        for session in (self.cassandra, self.cassandra_admin):
            session.cluster.shutdown()

    def _mirror_odd_tables(self) -> None:
        """Three tables with rows, mirrored by the command. One is in Cassandra before, with types
        that hold what the command's own choice does not, and without some columns."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(ODD_TABLES.read_text(encoding="utf-8"))
            for statement, values in self.odd_load(seed=1).first_rows():
                cursor.execute(statement, values)
        self.cassandra_admin.execute(ODD_VALUES)
        for arguments in MIRROR_COMMANDS:
            self.mirror(*arguments)
        identities = dict(self.sql("SELECT relname, relreplident FROM pg_class WHERE relname LIKE 'odd\\_%'"))
        assert [identities[table] for table in odd_comparison.KEYS] == ["f", "f", "d"]

    def mirror(self, *arguments: str) -> None:
        """Runs mirror_table.py to its end."""
        settings = {**self.stack.environ, "CONSUMER_GROUP": GROUP}
        program = Program(["mirror_table.py", *arguments], settings, self._folder / f"mirror_{arguments[0]}.log")
        assert program.process.wait(180) == 0, program.output()

    # --- processes

    def start_program(self, name: str, **environ: str) -> Program:
        """`consumer`, `guard`, or another consumer under any other name. Appends to its log if it
        ran before."""
        port = self._ports.setdefault(name, free_ports(1)[0])
        command = ["-m", "debezium.guard"] if name == "guard" else ["consumer_to_cassandra.py"]
        settings = {**self.stack.environ, "CONSUMER_GROUP": GROUP, "METRICS_PORT": str(port), **environ}
        self.programs[name] = Program(command, settings, self._folder / f"{name}.log", port)
        return self.programs[name]

    def kill(self, name: str) -> None:
        """kill -9, with all child processes."""
        if name in self.programs:
            self.programs[name].kill()
        else:
            self.stack.kill(name, signal.SIGKILL)

    def hang(self, name: str) -> None:
        """A server keeps its connections open and answers nothing."""
        self.stack.kill(name, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """After `hang`."""
        self.stack.kill(name, signal.SIGCONT)

    def start(self, name: str) -> None:
        """Starts it after `kill` or `without`; returns when it is ready."""
        if name in self.programs:
            program = self.start_program(name)
            wait_until(lambda: program.healthy() is not None, 60, f"the {name} to answer; {program.log}")
        elif name == "cassandra":
            start_cassandra(self.stack, self.cassandra, self.cassandra_admin)
        else:
            self.stack.start_service(name)
            self.stack.wait_ready(name)

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Stopped with SIGTERM on entry, started again on exit."""
        if name in self.programs:
            self.programs[name].stop()
        else:
            self.stack.stop_service(name)
        yield
        self.start(name)

    def explanation(self) -> str:
        """What may explain a difference: how recent rows and TRUNCATEs of the totals were written,
        and the last events of the programs' logs."""
        known = [f"{row}" for row in self.cassandra_admin.execute("SELECT * FROM truncations")]
        totals = "SELECT id, parts, writetime(parts) AS written_us FROM odd_totals"
        written = [f"{row}" for row in self.cassandra.execute(totals)]
        kept = sorted(row[0] for row in self.sql("SELECT id FROM odd_totals"))
        logs = [line for name in self.programs for line in self.programs[name].output().splitlines()[-25:]]
        return "\n".join(["truncations:", *known, f"totals in PostgreSQL: {kept}", *written, "logs:", *logs])

    # --- PostgreSQL and Cassandra

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

    def odd_load(self, seed: int) -> OddLoad:
        return OddLoad(self.connect, seed)

    def compare(self, prefix: str) -> comparison.Comparison:
        """What differs now. A Cassandra that cannot be read yet counts as a difference."""
        try:
            with self.connect() as connection:
                return comparison.compare(connection, self.cassandra, prefix)
        except cassandra_session.UNAVAILABLE_ERRORS as error:
            return comparison.Comparison([f"Cassandra cannot be read: {error}"], 0)

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
        """All current records of a topic; none if the topic does not exist."""
        consumer = KafkaConsumer(bootstrap_servers=list(self.settings.KAFKA_BOOTSTRAP_SERVERS))
        try:
            if topic not in consumer.topics():
                return []
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            consumer.seek_to_beginning()
            ends = consumer.end_offsets(partitions)
            read: list[ConsumerRecord] = []
            deadline = time.monotonic() + 60
            while any(consumer.position(partition) < end for partition, end in ends.items()):
                assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
                for records in consumer.poll(timeout_ms=500).values():
                    read += records
            return read
        finally:
            consumer.close()

    def dead_letters(self) -> list[ConsumerRecord]:
        return self.records(f"{self.settings.TOPIC_PREFIX}.dead_letters")

    @contextmanager
    def kafka_admin(self) -> Iterator[KafkaAdminClient]:
        with closing(KafkaAdminClient(bootstrap_servers=list(self.settings.KAFKA_BOOTSTRAP_SERVERS))) as admin:
            yield admin

    def members(self) -> set[str]:
        """Ids of the group's members. A consumer that leaves and joins again gets a new id."""
        with self.kafka_admin() as admin:
            return {member["member_id"] for member in admin.describe_groups([GROUP])[GROUP]["members"]}

    def lag_records(self) -> int:
        """Number of records of all tables whose offsets the group has not committed."""
        consumer = KafkaConsumer(
            bootstrap_servers=list(self.settings.KAFKA_BOOTSTRAP_SERVERS), group_id=GROUP, enable_auto_commit=False
        )
        try:
            topics = [self.topic(table) for table in TABLES]
            existing = consumer.topics().intersection(topics)
            partitions = [TopicPartition(t, number) for t in existing for number in consumer.partitions_for_topic(t)]
            ends = consumer.end_offsets(partitions)
            return sum(end - (consumer.committed(partition) or 0) for partition, end in ends.items())
        finally:
            consumer.close()


@contextmanager
def running(folder: Path, services: Iterable[str] = CHAIN, rate: float = RATE, count: int = 1) -> Iterator[ChainWorld]:
    """A world with a stack of its own, of `count` nodes and as many consumers."""
    with Stack(folder, services, count=count) as stack:
        world = ChainWorld(stack, folder, rate)
        try:
            others = [nodes.named("consumer", number) for number in nodes.of("consumer", count)[1:]]
            for program in [world.start_program(name) for name in others]:
                wait_until(program.healthy, 60, f"a consumer's health; {program.log}")
            yield world
        finally:
            world.close()
