"""Several polls are written at the same time; they are finished and committed in their order."""

import pytest
from cassandra import InvalidRequest
from cassandra.cluster import NoHostAvailable
from kafka.errors import KafkaTimeoutError

from pipeline.consumer import polls_in_flight
from pipeline.consumer.loop import Loop
from pipeline.consumer.polls_in_flight import MAX_POLLS
from pipeline.consumer.round import Round
from pipeline.consumer.statements import Statements
from pipeline.consumer.truncations import Truncations
from pipeline.consumer.writer import Writer
from tests.unit.pipeline.consumer.test_loop import PER_POLL, FakeKafka
from tests.unit.support.clocks import FakeStop
from tests.unit.support.ddl import CQL_TABLES, declared_tables
from tests.unit.support.fake_cassandra import FakeSession

UNAVAILABLE = NoHostAvailable("none", {})


class Flight:
    """The loop and a Cassandra that answers when a test wants it. The loop passes through moments:
    each call of Kafka's poll, and each time that it waits for Cassandra. `answers`: the numbers of
    the requests that are answered at each moment; afterwards all are. `seen`: at each moment, how
    many requests had been sent and what was committed."""

    def __init__(self, values, errors, monkeypatch):
        self.stop = FakeStop(after_waits=50)
        self.kafka = FakeKafka(values, self.stop)
        self.session = FakeSession()
        self.session.is_holding = True
        self.errors = list(errors)
        self.session.outcome = self.outcome
        self.answers = []
        self.answered = set()
        self.seen = []
        self.at_moment = {}
        poll, wait = self.kafka.poll, Round.wait
        self.kafka.poll = lambda seconds: self.moment() or poll(seconds)
        monkeypatch.setattr(Round, "wait", lambda answers, _: answers.is_finished or self.moment() or wait(answers, 0))

    def outcome(self, _statement):
        error = self.errors.pop(0) if self.errors else None
        self.kafka.done.append("write failed" if error else "write")
        return error

    def moment(self):
        number = len(self.seen)
        self.seen.append((len(self.session.held), self.kafka.committed))
        self.at_moment.get(number, lambda: None)()
        numbers = self.answers[number] if number < len(self.answers) else range(len(self.session.held))
        for request in numbers:
            if request not in self.answered:
                self.answered.add(request)
                self.session.held[request].answer()

    def run(self, *answers, send_errors=(), at_moment=None):
        self.answers = list(answers)
        self.at_moment = at_moment or {}
        self.kafka.send_errors = list(send_errors)
        statements = Statements(self.session, "crypto")
        truncations = Truncations(self.session, "crypto", self.kafka.ends, self.kafka.is_read)
        Loop(self.kafka, statements, Writer(self.session, statements), self.kafka, truncations).run(self.stop)
        assert len(self.stop.waits) < 50, "the loop never ended"
        return self.kafka


@pytest.fixture
def flight(envelope, monkeypatch):
    """`good` stands for a candle's envelope, `emptied` for a TRUNCATE of its table; Cassandra
    answers with `errors`, in order, and confirms everything afterwards. A commit follows as soon as
    it may."""
    monkeypatch.setattr("pipeline.consumer.loop.COMMIT_EVERY_SECONDS", 0.0)
    events = {"good": envelope("kline_created_open"), "emptied": envelope("truncated")}

    def make(*values, errors=()):
        return Flight([events.get(value, value) for value in values], errors, monkeypatch)

    return make


def test_next_polls_are_sent_before_the_first_is_answered(flight):
    several = flight(*["good"] * 6)
    kafka = several.run([], [], [], [])
    assert several.seen[:4] == [(0, 0), (1, 0), (2, 0), (3, 0)]
    assert kafka.done == ["write", "write", "write", "commit 6"]


def test_answers_in_another_order_are_committed_in_the_order_of_the_log_and_at_once(flight):
    kafka = flight(*["good"] * 6).run([], [], [1], [0], [])
    assert kafka.done == ["write", "write", "write", "commit 4", "commit 6"]


def test_number_of_polls_in_memory_is_bounded(flight):
    several = flight(*["good"] * 40)
    waits = [[]] * 30
    several.run(*waits)
    assert max(sent for sent, _ in several.seen[:30]) == MAX_POLLS
    assert several.kafka.committed == 40


def test_bytes_in_memory_are_bounded(flight, monkeypatch):
    several = flight(*["good"] * 40)
    monkeypatch.setattr(polls_in_flight, "MAX_BYTES", 3 * PER_POLL * len(several.kafka.values[0]) - 1)
    several.run(*[[]] * 30)
    assert max(sent for sent, _ in several.seen[:30]) == 3
    assert several.kafka.committed == 40


def test_failed_write_keeps_later_polls_from_being_committed_until_it_is_repeated(flight):
    several = flight(*["good"] * 6, errors=[UNAVAILABLE])
    kafka = several.run([], [], [], [0, 1, 2], [], [])
    assert all(committed == 0 for _, committed in several.seen[:6])
    assert kafka.done == ["write failed", "write", "write", "hold", "write", "resume", "commit 6"]


def test_polls_that_failed_in_the_same_outage_are_repeated_without_waiting_again(flight):
    kafka = flight(*["good"] * 6, errors=[UNAVAILABLE] * 3).run([], [], [])
    assert kafka.done == [*["write failed"] * 3, "hold", "write", "resume", "write", "write", "commit 6"]


def test_outage_after_the_last_one_is_waited_for_again(flight):
    kafka = flight(*["good"] * 4, errors=[UNAVAILABLE, UNAVAILABLE, None, UNAVAILABLE]).run([], [])
    assert kafka.done == [
        *["write failed"] * 2,
        "hold",
        "write",
        "resume",
        "write failed",
        "hold",
        "write",
        "resume",
        "commit 4",
    ]


def test_stop_in_an_outage_commits_what_was_finished_before_it_and_nothing_after(flight):
    several = flight(*["good"] * 8, errors=[None, UNAVAILABLE, None, UNAVAILABLE])
    kafka = several.run([], [], [], [0, 1, 2], at_moment={3: several.stop.set})
    assert kafka.committed == 2
    assert kafka.dead_offsets == []


def test_stop_finishes_all_polls_in_flight(flight):
    several = flight(*["good"] * 20)
    kafka = several.run([], [], [], at_moment={2: several.stop.set})
    assert kafka.committed == kafka.position == 6


def test_dead_letter_is_accepted_before_its_poll_or_a_later_one_is_committed(flight):
    several = flight("good", b"not json", "good", "good")
    kafka = several.run([], [], [0, 1], send_errors=[KafkaTimeoutError("no broker")] * 2)
    assert kafka.done == ["write", "write", *["dead letters refused"] * 2, "dead letters", "commit 4"]


def test_refused_row_of_a_poll_is_its_dead_letter_while_others_are_in_flight(flight):
    kafka = flight(*["good"] * 6, errors=[None, InvalidRequest("bad row")]).run([], [], [], [0, 1, 2])
    assert kafka.dead_offsets == [3]
    assert kafka.committed == 6


def test_schema_change_encodes_every_poll_again_that_was_refused_and_loses_none(flight):
    several = flight(*["good"] * 6, errors=[InvalidRequest("unknown column")] * 3)
    narrower = declared_tables(CQL_TABLES)["klines"].without("volume")
    kafka = several.run([], [], [], [0, 1, 2], at_moment={3: lambda: several.session.declare(narrower)})
    assert kafka.dead_offsets == []
    assert kafka.committed == 6
    lengths = [len(sent.values) for sent in several.session.sent]
    assert lengths[3:] == [lengths[0] - 1] * 3


def test_table_is_emptied_once_the_polls_before_the_truncate_are_written(flight):
    """Otherwise rows that are still under way could be left over until the second pass."""
    several = flight("good", "good", "emptied", "good")
    emptied = []
    execute = several.session.execute

    def noted(query, values=None):
        if "DISTINCT" in getattr(query, "query_string", ""):
            emptied.append(set(several.answered))
        return execute(query, values)

    several.session.execute = noted
    several.run([], [], [], [1], [], [0])
    assert emptied == [{0, 1}]


def test_poll_that_is_never_answered_is_written_again(flight, monkeypatch):
    """Also while there is room for further polls, so that nobody waits for it. Its answer is
    ignored when it comes after all."""
    several = flight("good", "good")
    hold = several.kafka.hold

    def in_time(seconds):
        monkeypatch.setattr("pipeline.consumer.round.ANSWER_SECONDS", 10.0)
        hold(seconds)

    several.kafka.hold = in_time
    late = {2: lambda: monkeypatch.setattr("pipeline.consumer.round.ANSWER_SECONDS", -1.0)}
    kafka = several.run([], [], [], [0], [], [1], at_moment=late)
    assert several.seen[5] == (2, 0)
    assert kafka.done == ["write", "hold", "write", "resume", "commit 2"]


def test_commits_are_not_more_frequent_than_they_need_be(flight, monkeypatch):
    monkeypatch.setattr("pipeline.consumer.loop.COMMIT_EVERY_SECONDS", 3600.0)
    kafka = flight(*["good"] * 2 * MAX_POLLS * PER_POLL).run()
    full = MAX_POLLS * PER_POLL
    assert [step for step in kafka.done if step.startswith("commit")] == [f"commit {full}", f"commit {2 * full}"]


def test_finished_polls_that_hold_much_memory_are_committed_at_once(flight, monkeypatch):
    monkeypatch.setattr("pipeline.consumer.loop.COMMIT_EVERY_SECONDS", 3600.0)
    several = flight(*["good"] * 2 * PER_POLL)
    monkeypatch.setattr(polls_in_flight, "MAX_FINISHED_BYTES", PER_POLL * len(several.kafka.values[0]))
    kafka = several.run()
    assert kafka.done == ["write", "write", f"commit {PER_POLL}", f"commit {2 * PER_POLL}"]
