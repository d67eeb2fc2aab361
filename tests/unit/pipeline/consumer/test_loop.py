"""The consumer's order: write all, wait for all → dead letters, wait for all → commit. Each step is
broken in turn."""

from collections import namedtuple

import pytest
from cassandra import InvalidRequest
from cassandra.cluster import NoHostAvailable
from cassandra.protocol import ServerError
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from pipeline.consumer.loop import Loop
from pipeline.consumer.statements import Statements
from pipeline.consumer.truncations import Truncations
from pipeline.consumer.writer import MAX_SERVER_ERRORS, Writer
from pipeline.stream.row_versions import RowVersions
from tests.unit.support.clocks import FakeStop
from tests.unit.support.ddl import CQL_TABLES, declared_tables
from tests.unit.support.fake_cassandra import FakeSession

Record = namedtuple("Record", "topic partition offset key value headers timestamp")
KLINES = TopicPartition("crypto.public.klines", 0)
SENT_MS = 1_795_461_947_200
PER_POLL, MANY_POLLS = 2, 200
TWO_TABLES = {name: declared_tables(CQL_TABLES)[name] for name in ("klines", "latest_prices")}


class FakeKafka:
    """KafkaSource and dead-letter topic in one. `done` is the history of the calls, without the
    polls, which may happen while a write is under way. Like Kafka, it delivers what follows the
    last delivered record, whatever the committed offset is."""

    def __init__(self, values, stop):
        self.values = values
        self.stop = stop
        self.exhausted = False
        self.versions = RowVersions(lambda _partition: "")
        self.position = self.committed = self.polls = 0
        self.done = []
        self.dead_offsets = []
        self.send_errors = []

    def table_of(self, record):
        return record.topic.removeprefix("crypto.public.")

    def follow(self, tables):
        return frozenset(tables)

    def poll(self, _timeout_seconds):
        self.polls += 1
        if self.position >= len(self.values):
            if self.committed >= len(self.values) or self.polls > MANY_POLLS:
                self.stop.set()
            return {}
        first, self.position = self.position, min(self.position + PER_POLL, len(self.values))
        return {
            KLINES: [
                Record(KLINES.topic, 0, n, b"{}", self.values[n], [], SENT_MS) for n in range(first, self.position)
            ]
        }

    def hold(self, _seconds):
        self.done.append("hold")

    def resume(self):
        self.done.append("resume")

    def commit(self, marks):
        self.committed = marks[KLINES].next_offset
        self.done.append(f"commit {self.committed}")
        return True

    def lag_records(self, fetch_ends=False):
        return {KLINES: len(self.values) - self.position}

    def emptied(self, table, commit_us):
        self.done.append(f"emptied {table}")

    def ends(self, _table):
        return {0: len(self.values)}

    def is_read(self, _table, ends):
        return self.committed >= ends[0]

    def send(self, letters):
        letters = list(letters)
        if letters and self.send_errors:
            self.done.append("dead letters refused")
            raise self.send_errors.pop(0)
        self.dead_offsets += [letter.record.offset for letter in letters]
        self.done += ["dead letters"] * bool(letters)
        return len(letters)


@pytest.fixture
def run(envelope, monkeypatch):
    """Consumes these values; `good` stands for a candle's envelope. Cassandra answers with
    `errors`, in order (None confirms); then it confirms everything, at once. A commit follows as
    soon as it may. Returns the FakeKafka."""

    monkeypatch.setattr("pipeline.consumer.loop.COMMIT_EVERY_SECONDS", 0.0)

    def start(*values, errors=(), send_errors=(), on_write=lambda session, kafka: None):
        stop = FakeStop(after_waits=50)
        kafka = FakeKafka([envelope("kline_created_open") if value == "good" else value for value in values], stop)
        kafka.send_errors = list(send_errors)
        session, remaining = FakeSession(), list(errors)

        def outcome(_statement):
            error = remaining.pop(0) if remaining else None
            kafka.done.append("write failed" if error else "write")
            on_write(session, kafka)
            return error

        session.outcome = outcome
        statements = Statements(session, "crypto")
        truncations = Truncations(session, "crypto", kafka.ends, kafka.is_read)
        loop = Loop(kafka, statements, Writer(session, statements), kafka, truncations)
        loop.run(stop)
        assert len(stop.waits) < 50, "the loop never ended"
        return kafka

    return start


def test_offsets_are_committed_after_the_write_and_next_to_read(run):
    assert run("good", "good", "good").done == ["write", "commit 2", "write", "commit 3"]


def test_dead_letters_are_sent_after_the_write_and_before_the_commit(run):
    kafka = run("good", b"not json")
    assert kafka.done == ["write", "dead letters", "commit 2"]
    assert kafka.dead_offsets == [1]


def test_poll_of_tombstones_only_is_committed_without_a_write(run):
    assert run(None, None).done == ["commit 2"]


def test_write_that_is_not_confirmed_is_retried_before_anything_is_committed(run):
    unavailable = NoHostAvailable("none", {})
    kafka = run("good", "good", errors=[unavailable] * 3)
    assert kafka.done == [
        "write failed",
        "hold",
        "write failed",
        "hold",
        "write failed",
        "hold",
        "write",
        "resume",
        "commit 2",
    ]
    assert kafka.dead_offsets == []


def test_outage_is_waited_for_without_limit(run):
    kafka = run("good", "good", errors=[NoHostAvailable("none", {})] * 500)
    assert kafka.done[-2:] == ["resume", "commit 2"]
    assert kafka.dead_offsets == []


@pytest.mark.parametrize(
    ("only", "followed"),
    [
        (None, {"klines", "latest_prices"}),
        (frozenset({"klines", "elsewhere"}), {"klines"}),
    ],
)
def test_only_the_requested_tables_are_followed(only, followed):
    stop, session = FakeStop(after_waits=50), FakeSession(TWO_TABLES)
    kafka, statements = FakeKafka([], stop), Statements(session, "crypto")
    truncations = Truncations(session, "crypto", kafka.ends, kafka.is_read)
    loop = Loop(kafka, statements, Writer(session, statements), kafka, truncations, only)
    loop.run(stop)
    assert loop.followed == followed


def test_stop_during_an_outage_commits_nothing(run):
    def stop(_session, kafka):
        kafka.stop.set()

    kafka = run("good", b"not json", errors=[NoHostAvailable("none", {})] * 9, on_write=stop)
    assert kafka.committed == 0
    assert kafka.dead_offsets == []


def test_poll_taken_during_an_outage_is_not_written_after_a_stop(run):
    """Its commit would cover the poll before it, which was never confirmed."""

    def stop(_session, kafka):
        kafka.stop.set()

    kafka = run(*["good"] * 4, errors=[NoHostAvailable("none", {})], on_write=stop)
    assert kafka.done == ["write failed"]
    assert kafka.committed == 0


def test_stop_finishes_the_poll_that_is_being_written(run):
    def stop(_session, kafka):
        kafka.stop.set()

    kafka = run(*["good"] * 20, on_write=stop)
    assert kafka.done[:2] == ["write", "commit 2"]
    assert kafka.committed == kafka.position < 20


def test_source_that_ends_is_read_until_its_last_record_is_committed(run, monkeypatch):
    exhausted = property(lambda kafka: kafka.committed >= len(kafka.values), lambda _kafka, _value: None)
    monkeypatch.setattr(FakeKafka, "exhausted", exhausted, raising=False)
    unavailable = NoHostAvailable("none", {})
    kafka = run(*["good"] * 3, errors=[None, unavailable])
    assert kafka.done == ["write", "commit 2", "write failed", "hold", "write", "resume", "commit 3"]
    assert not kafka.stop.requested


def test_row_that_cassandra_refuses_becomes_a_dead_letter_and_the_stream_goes_on(run):
    kafka = run("good", "good", "good", errors=[InvalidRequest("bad row")])
    assert kafka.dead_offsets == [1]
    assert kafka.committed == 3


def test_row_that_always_gets_a_server_error_becomes_a_dead_letter_and_the_stream_goes_on(run):
    error = NoHostAvailable("none", {"node": ServerError(0, "NullPointerException", None)})
    kafka = run("good", "good", "good", errors=[error] * MAX_SERVER_ERRORS)
    assert kafka.dead_offsets == [1]
    assert kafka.committed == 3


def test_record_that_two_tables_refuse_is_one_dead_letter(run, envelope, monkeypatch):
    price = envelope("price_updated")
    monkeypatch.setattr(FakeKafka, "table_of", lambda _self, _record: "latest_prices")
    assert run(price, errors=[InvalidRequest("bad row")] * 2).dead_offsets == [0]


@pytest.mark.parametrize("driver_knows", [True, False], ids=["the driver knows", "the driver does not know yet"])
def test_schema_change_under_a_write_is_encoded_again_and_loses_nothing(run, driver_knows):
    changed = []

    def change_once(session, _kafka):
        if not changed:
            changed.append(True)
            session.declare(declared_tables(CQL_TABLES)["klines"].without("volume"), driver_knows)

    kafka = run("good", b"not json", errors=[InvalidRequest("unknown column")], on_write=change_once)
    assert kafka.dead_offsets == [1]
    assert kafka.done[-2:] == ["dead letters", "commit 2"]
    assert "write" in kafka.done


def test_dead_letters_that_kafka_does_not_accept_are_never_skipped(run):
    """The next poll returns later records; its commit must not cover a dead letter that was never
    sent."""
    kafka = run("good", b"not json", "good", "good", send_errors=[KafkaTimeoutError("no broker")])
    assert kafka.committed == 4
    assert kafka.dead_offsets == [1]
    assert kafka.done.index("dead letters") < kafka.done.index("commit 4")


@pytest.mark.parametrize("part", ["hold", "lag_records"])
def test_kafka_error_during_an_outage_of_cassandra_does_not_stop_the_program(run, monkeypatch, part):
    """Both unavailable at once, e.g. while the machine starts: waited for like either alone."""
    errors, original = [KafkaTimeoutError("no broker")], getattr(FakeKafka, part)

    def failing(self, *arguments):
        if errors:
            raise errors.pop()
        return original(self, *arguments)

    monkeypatch.setattr(FakeKafka, part, failing)
    assert run("good", "good", "good", errors=[NoHostAvailable("none", {})] * 2).committed == 3


def test_kafka_error_of_a_poll_is_waited_for_and_the_stream_goes_on(run, monkeypatch):
    errors = [KafkaTimeoutError("no broker")] * 2
    poll = FakeKafka.poll

    def failing(self, timeout_seconds):
        if errors:
            raise errors.pop()
        return poll(self, timeout_seconds)

    monkeypatch.setattr(FakeKafka, "poll", failing)
    assert run("good").done == ["write", "commit 1"]


def test_truncate_is_carried_out_before_its_poll_is_committed(run, envelope):
    """The candle in the same poll has the same place in PostgreSQL's log, so it follows."""
    kafka = run(envelope("truncated"), "good", errors=[NoHostAvailable("none", {})])
    assert "emptied klines" in kafka.done
    steps = [step for step in kafka.done if step not in ("emptied klines", "resume")]
    assert steps == ["write failed", "hold", "write", "commit 2"]


def test_member_that_empties_a_large_table_stays_in_its_group_and_takes_records_afterwards(run, envelope, monkeypatch):
    monkeypatch.setattr("pipeline.consumer.loop.HOLD_EVERY_SECONDS", -1.0)
    monkeypatch.setattr(FakeSession, "execute", pages_of_candles(FakeSession.execute))
    steps = [step for step in run(envelope("truncated"), "good").done if step in ("hold", "resume")]
    assert steps == ["hold", "resume"] * (len(steps) // 2)
    assert len(steps) >= 4


def pages_of_candles(execute):
    def with_rows(self, query, values=None):
        self.rows["klines"] = [("BTCUSDT", "1m")] * 4
        return execute(self, query, values)

    return with_rows


def test_truncate_that_cannot_be_stored_is_waited_for(run, envelope):
    attempts = []

    def unavailable_once(self, query, values=None):
        if isinstance(query, str) and query.startswith("INSERT") and not attempts:
            attempts.append(query)
            raise NoHostAvailable("none", {})
        return original(self, query, values)

    original = FakeSession.execute
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeSession, "execute", unavailable_once)
        kafka = run(envelope("truncated"))
    assert [step for step in kafka.done if not step.startswith("emptied")] == ["hold", "resume", "commit 1"]
    assert len(attempts) == 1


def test_versions_stay_in_the_order_of_the_log_when_a_poll_is_encoded_after_the_next_one(run, envelope):
    """The schema changes while the first poll is written: it is encoded again when the second one
    has been encoded already."""
    seen = []

    def change_once(session, _kafka):
        seen.extend(versions(session.sent[-1]))
        if len(session.sent) == 1:
            session.declare(declared_tables(CQL_TABLES)["klines"].without("volume"))

    run(*["good"] * 4, errors=[InvalidRequest("unknown column")], on_write=change_once)
    assert seen[-1] == max(seen)
    assert len(set(seen)) == 2


def versions(statement):
    """The write timestamps in a request; they are the last value of an INSERT."""
    rows = getattr(statement, "rows", None) or [statement.values]
    return [int.from_bytes(values[-1], "big") for values in rows]
