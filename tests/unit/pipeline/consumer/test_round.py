import pytest
from cassandra import OperationTimedOut

from pipeline.consumer.driver_internals import Request
from pipeline.consumer.round import FEW_REQUESTS_IN_FLIGHT, MAX_REQUESTS_IN_FLIGHT, Round

MANY = 3 * MAX_REQUESTS_IN_FLIGHT


class HoldingSender:
    """Keeps the answers of what was sent; `calls` counts how often something was."""

    def __init__(self):
        self.answers = []
        self.calls = 0
        self.error = None

    def send(self, sendings):
        if self.error is not None:
            raise self.error
        self.calls += 1
        self.answers += [answer for _, answer in sendings]


@pytest.fixture
def sender():
    return HoldingSender()


@pytest.fixture
def start(sender):
    return lambda count: Round(sender, [Request(None, [(n,)]) for n in range(count)])


def test_round_is_finished_once_each_request_is_answered_in_any_order(sender, start):
    answers = start(3)
    for number in (2, 0):
        sender.answers[number](None)
    assert not answers.wait(0)
    sender.answers[1](ValueError("refused"))
    assert answers.wait(0)
    assert list(answers.errors) == [1]
    assert answers.finished_at >= answers.began_at
    assert answers.finished_us > 0


def test_requests_in_flight_are_bounded_and_sent_many_at_once(sender, start):
    answers = start(MANY)
    answered = 0
    while not answers.is_finished:
        assert len(sender.answers) - answered <= MAX_REQUESTS_IN_FLIGHT
        sender.answers[answered](None)
        answered += 1
    assert answered == len(sender.answers) == MANY
    assert sender.calls <= 2 + MANY // (MAX_REQUESTS_IN_FLIGHT - FEW_REQUESTS_IN_FLIGHT)


def test_answers_that_come_while_requests_are_sent_do_not_pile_up_calls(start, sender, monkeypatch):
    """As when every request fails at once: thousands of calls within each other would end the
    process."""
    monkeypatch.setattr(sender, "send", lambda sendings: [answer(ValueError()) for _, answer in sendings])
    answers = start(MAX_REQUESTS_IN_FLIGHT * 50)
    assert answers.is_finished
    assert len(answers.errors) == MAX_REQUESTS_IN_FLIGHT * 50


def test_error_while_sending_is_the_answer_to_those_requests(sender, start):
    sender.error = AttributeError("a bug")
    answers = start(MANY)
    assert answers.is_finished
    assert set(answers.errors.values()) == {sender.error}


def test_requests_without_an_answer_are_given_up_and_no_more_are_sent(sender, start, monkeypatch):
    answers = start(MANY)
    sender.answers[0](None)
    monkeypatch.setattr("pipeline.consumer.round.ANSWER_SECONDS", -1.0)
    assert answers.wait(0)
    assert len(answers.errors) == MANY - 1
    assert isinstance(answers.errors[1], OperationTimedOut)
    sent = len(sender.answers)
    for late in sender.answers[1:]:
        late(None)
    assert len(sender.answers) == sent
    assert len(answers.errors) == MANY - 1
