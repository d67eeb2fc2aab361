import pytest

from pipeline.stream.followed_topics import DELETED_AFTER_SECONDS, FollowedTopics

ORDERS, NOTES = "crypto.public.orders", "crypto.public.notes"


@pytest.fixture
def followed():
    topics = FollowedTopics("crypto.public.")
    assert topics.update({"orders", "notes", "nowhere"}, {ORDERS, "crypto.dead_letters"}, 0)
    assert topics.tables == {ORDERS: "orders"}
    return topics


def test_table_and_topic_are_followed_once_both_are_there(followed):
    assert not followed.update({"orders", "notes"}, {ORDERS}, 5)
    assert followed.update({"orders", "notes"}, {ORDERS, NOTES}, 10)
    assert followed.tables == {ORDERS: "orders", NOTES: "notes"}


def test_topic_that_is_not_listed_for_a_moment_stays_followed(followed):
    """A broker that restarts lists no topic, or not all of them."""
    assert not followed.update({"orders"}, set(), DELETED_AFTER_SECONDS + 1)
    assert not followed.update({"orders"}, {NOTES}, DELETED_AFTER_SECONDS)
    assert followed.tables == {ORDERS: "orders"}


def test_deleted_topic_is_left_and_followed_again_when_it_comes_back(followed):
    assert followed.update({"orders"}, {NOTES}, DELETED_AFTER_SECONDS + 1)
    assert followed.tables == {}
    assert followed.update({"orders"}, {ORDERS}, DELETED_AFTER_SECONDS + 6)
    assert followed.tables == {ORDERS: "orders"}


def test_topic_with_another_id_was_created_again(followed):
    assert followed.recreated({ORDERS: "a"}) == set()
    assert followed.recreated({ORDERS: None}) == set()
    assert followed.recreated({ORDERS: "b"}) == {ORDERS}
    assert followed.recreated({ORDERS: "b"}) == set()


def test_topic_that_was_left_in_between_is_new_and_not_created_again(followed):
    followed.recreated({ORDERS: "a"})
    followed.update({"orders"}, {NOTES}, DELETED_AFTER_SECONDS + 1)
    followed.update({"orders"}, {ORDERS}, DELETED_AFTER_SECONDS + 6)
    assert followed.recreated({ORDERS: "b"}) == set()
