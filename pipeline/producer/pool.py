"""A few threads that make the requests. Daemon threads: a request that hangs does not hold up a
stop, which ThreadPoolExecutor would (it joins its threads at exit). Knows nothing of the
exchange."""

import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple


class Done(NamedTuple):
    """A finished call: the job that was handed in, and its result or the exception it raised."""

    job: Any
    result: Any
    error: Exception | None


class Pool:
    """Runs at most `size` calls at a time. The caller keeps track of how many it handed in, so no
    queue grows."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.busy = 0
        self._calls: queue.SimpleQueue[tuple[Any, Callable[[], Any]]] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._work, name=f"request-{number}", daemon=True).start()

    def submit(self, job: Any, call: Callable[[], Any]) -> None:
        self.busy += 1
        self._calls.put((job, call))

    def next_done(self, timeout_seconds: float) -> Done | None:
        """The next finished call, or None when none finishes in time."""
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
                self._done.put(Done(job, call(), None))
            except Exception as error:  # handed to the main thread, which decides
                self._done.put(Done(job, None, error))
