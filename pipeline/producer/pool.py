"""A few threads that make the requests. Daemon threads: a request that hangs does not delay a stop,
as it would with ThreadPoolExecutor (which joins its threads at exit). Knows nothing of the
exchange."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Done(NamedTuple):
    """A finished call: the job it was submitted with, and its result or the exception it raised.
    `finished_at`: when, by the pool's clock."""

    job: Any
    result: Any
    error: Exception | None
    finished_at: float


class Pool:
    """Runs at most `size` calls at a time. `busy`: calls submitted and not yet collected; the
    caller keeps it low, so that no queue grows."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = size
        self.busy = 0
        self._clock = clock
        self._calls: queue.SimpleQueue[tuple[Any, Callable[[], Any]]] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._work, name=f"request-{number}", daemon=True).start()

    def submit(self, job: Any, call: Callable[[], Any]) -> None:
        self.busy += 1
        self._calls.put((job, call))

    def next_done(self, timeout_seconds: float) -> Done | None:
        """The next finished call, or None if no call finishes in time."""
        try:
            done = self._done.get(timeout=max(0.0, timeout_seconds))
        except queue.Empty:
            return None
        self.busy -= 1
        return done

    def _work(self) -> None:
        while True:
            job, call = self._calls.get()
            try:
                result = call()
            except Exception as error:  # passed to the main thread, which decides
                self._done.put(Done(job, None, error, self._clock()))
            else:
                self._done.put(Done(job, result, None, self._clock()))
