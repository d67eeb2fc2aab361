"""Cassandra, started again after a test stopped or killed it."""

from functools import partial

from cassandra.cluster import Session

from local.stack import Stack
from pipeline.cassandra_session import UNAVAILABLE_ERRORS
from tests.support.waiting import wait_until


def start_cassandra(stack: Stack, *sessions: Session) -> None:
    """Returns when it is ready and each of the test's own sessions has found it again. Every
    session tries by itself, every five seconds at most: that a program has found it says nothing of
    the others."""
    stack.start_service("cassandra")
    stack.wait_ready("cassandra")
    wait_for_sessions(*sessions)


def wait_for_sessions(*sessions: Session) -> None:
    for session in sessions:
        wait_until(partial(answers, session), 20, "the test's session with Cassandra")


def answers(session: Session) -> object:
    """True, or why not."""
    try:
        return bool(session.execute("SELECT key FROM system.local").one())
    except UNAVAILABLE_ERRORS as error:
        return error
