"""One round of requests to Cassandra: sent without waiting, a bounded number at a time; their
answers are collected. Knows the driver; knows nothing of what the requests hold or of what an
answer means."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, Lock

from cassandra import OperationTimedOut
from cassandra.cluster import Session
from cassandra.query import Statement

MAX_REQUESTS_IN_FLIGHT = 128
# Cassandra itself gives up after a few seconds and says so; this is for one that says nothing.
ANSWER_SECONDS = 10.0

# Called with the error that was answered, None when Cassandra confirmed.
Answer = Callable[[Exception | None], None]


class Round:
    """`errors`: by the number of the request, what was answered instead of a confirmation; complete
    once the round is finished. `began_at`, `finished_at`: when the first was sent and the last
    answered, in monotonic seconds; `finished_us`: the latter in µs since 1970."""

    def __init__(self, session: Session, statements: Iterable[Statement], count: int) -> None:
        """Send them. `count`: how many there are; each is made when it is sent."""
        self._session = session
        self._statements = enumerate(statements)
        self._lock = Lock()
        self._unanswered = set(range(count))
        self._in_flight = 0
        self._is_sending = False
        self._finished = Event()
        self.errors: dict[int, Exception] = {}
        self.began_at = self.finished_at = self._answered_at = time.monotonic()
        self.finished_us = 0
        self._send()

    @property
    def is_finished(self) -> bool:
        """Whether there is an answer to each. When none comes for a while, those that are missing
        count as errors."""
        if not self._finished.is_set() and time.monotonic() - self._answered_at > ANSWER_SECONDS:
            self._give_up()
        return self._finished.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until the round is finished; False if it is not yet."""
        self._finished.wait(seconds)
        return self.is_finished

    def _send(self) -> None:
        """As many as may be in flight. Every answer calls it again, in the driver's thread; while
        one call is at it, the others leave the free place to it."""
        with self._lock:
            if self._is_sending:
                return
            self._is_sending = True
        while (found := self._next()) is not None:
            number, statement = found
            answer = partial(self._answer, number)
            try:
                send(self._session, statement, answer)
            except Exception as error:  # in the driver's thread it would be lost
                answer(error)

    def _next(self) -> tuple[int, Statement] | None:
        with self._lock:
            found = next(self._statements, None) if self._in_flight < MAX_REQUESTS_IN_FLIGHT else None
            if found is None:
                self._is_sending = False
            else:
                self._in_flight += 1
            return found

    def _answer(self, number: int, error: Exception | None) -> None:
        with self._lock:
            if number not in self._unanswered:  # after the round was given up
                return
            self._unanswered.remove(number)
            self._in_flight -= 1
            self._answered_at = time.monotonic()
            if error is not None:
                self.errors[number] = error
            is_last = not self._unanswered
        if is_last:
            self._finish()
        else:
            self._send()

    def _finish(self) -> None:
        self.finished_at, self.finished_us = time.monotonic(), time.time_ns() // 1000
        self._finished.set()

    def _give_up(self) -> None:
        """An answer that comes later is ignored: the rows are written again by then."""
        error = OperationTimedOut({"Cassandra": f"no answer for {ANSWER_SECONDS:.0f} s"})
        with self._lock:
            if not self._unanswered:
                return  # the last answer is just being taken
            self.errors |= dict.fromkeys(self._unanswered, error)
            self._unanswered.clear()
            self._statements = enumerate(())
        self._finish()


def send(session: Session, statement: Statement, answer: Answer) -> None:
    """The driver's own time-out is not used: its timer refers to the request and the request to the
    timer, for ten seconds. Such cycles, thousands per second, are what Python's garbage collector
    stopped the process for."""
    future = session.execute_async(statement, timeout=None)
    future.add_callbacks(lambda _rows: answer(None), answer)
