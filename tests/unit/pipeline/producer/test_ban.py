import pytest

from pipeline.producer.ban import Ban


@pytest.fixture
def ban(clock):
    return Ban(clock)


def test_requests_are_allowed_until_a_ban_begins(ban):
    assert ban.remaining_seconds() == 0


def test_ban_lasts_for_its_seconds_and_then_ends(ban, clock):
    ban.begin(120)
    assert ban.remaining_seconds() == 120
    clock.now += 119
    assert ban.remaining_seconds() == pytest.approx(1)
    clock.now += 1
    assert ban.remaining_seconds() == 0
    clock.now += 1000
    assert ban.remaining_seconds() == 0


def test_shorter_ban_never_ends_a_longer_one(ban, clock):
    ban.begin(300)
    clock.now += 10
    ban.begin(5)
    assert ban.remaining_seconds() == 290


def test_longer_ban_replaces_a_shorter_one(ban, clock):
    ban.begin(5)
    clock.now += 1
    ban.begin(60)
    assert ban.remaining_seconds() == 60


def test_machine_that_has_just_started_is_not_banned():
    assert Ban(lambda: 0.001).remaining_seconds() == 0


def test_requests_go_one_at_a_time_until_one_is_answered(ban, clock):
    assert ban.probing
    assert not ban.confirmed(ban.count)
    assert not ban.probing
    ban.begin(5)
    clock.now += 6
    assert ban.probing
    assert ban.confirmed(ban.count)
    assert not ban.probing


def test_answer_to_a_request_sent_before_the_ban_confirms_nothing(ban):
    before = ban.count
    ban.begin(5)
    assert not ban.confirmed(before)
    assert ban.probing
