"""One round of requests to Cassandra: sent without waiting, a bounded number at a time; their
answers are collected. Knows nothing of what the requests hold or of what an answer means."""

import time
from collections.abc import Sequence
from functools import partial
from itertools import islice
from threading import Event, Lock

from cassandra import OperationTimedOut

from pipeline.consumer.driver_internals import Request, Sender, Sending

MAX_REQUESTS_IN_FLIGHT = 128
# When fewer are left in flight, more are sent: many at once cost less than each after an answer.
FEW_REQUESTS_IN_FLIGHT = 64
# Cassandra itself gives up after a few seconds and says so; this is for one that says nothing.
ANSWER_SECONDS = 10.0


class Round:
    """`errors`: by the number of the request, what was answered instead of a confirmation; complete
    once the round is finished. `began_at`, `finished_at`: when the first was sent and the last
    answered, in monotonic seconds; `finished_us`: the latter in µs since 1970."""

    def __init__(self, sender: Sender, requests: Sequence[Request]) -> None:
        """Send them."""
        self._sender = sender
        self._requests = enumerate(requests)
        self._lock = Lock()
        self._unanswered = set(range(len(requests)))
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
        """As many as may be in flight. Answers call it again, in the driver's thread; while one
        call is at it, the others leave the free places to it."""
        while sendings := self._next():
            try:
                self._sender.send(sendings)
            except Exception as error:  # in the driver's thread it would be lost
                for _, answer in sendings:
                    answer(error)
            self._is_sending = False

    def _next(self) -> list[Sending]:
        with self._lock:
            if self._is_sending or self._in_flight > FEW_REQUESTS_IN_FLIGHT:
                return []
            free = MAX_REQUESTS_IN_FLIGHT - self._in_flight
            found: list[Sending] = [
                (request, partial(self._answer, number)) for number, request in islice(self._requests, free)
            ]
            self._in_flight += len(found)
            self._is_sending = bool(found)
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
        self._finish()
