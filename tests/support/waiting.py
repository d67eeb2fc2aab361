"""Waiting for conditions, never for time."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout_seconds: float, what: str) -> None:
    """Return as soon as `condition` returns True. What it returns otherwise is its last state,
    shown on failure; an OSError (nobody listens yet) counts as a state."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            state = condition()
        except OSError as error:
            state = error
        if state is True:
            return
        assert time.monotonic() < deadline, f"{what}: not within {timeout_seconds:g} s, last seen: {state!r}"
        time.sleep(0.1)
