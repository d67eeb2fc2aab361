"""Waits for conditions instead of sleeping."""

import time
from collections.abc import Callable

# A time-out is there to find what never happens. What a quiet machine does within the stated time
# may take several times as long beside two other suites.
PATIENCE = 3


def seconds_passed(seconds: float) -> Callable[[], bool]:
    """For wait_until, where a program promises that something is so after a time."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def wait_until(condition: Callable[[], object], timeout_seconds: float, what: str, every_seconds: float = 0.1) -> None:
    """Returns as soon as `condition` returns True. Any other return value is the current state; the
    last one is shown on failure. An OSError, e.g. a refused connection, counts as a state.
    `timeout_seconds` are those of a quiet machine. `every_seconds`: between two looks that cost the
    machine something."""
    deadline = time.monotonic() + timeout_seconds * PATIENCE
    while True:
        try:
            state = condition()
        except OSError as error:
            state = error
        if state is True:
            return
        assert time.monotonic() < deadline, f"{what}: not within {timeout_seconds * PATIENCE:g} s, last seen: {state!r}"
        time.sleep(every_seconds)
