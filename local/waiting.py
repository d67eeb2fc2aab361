"""Waiting for a readiness check to pass. Knows no service; the caller passes the check."""

import time
from collections.abc import Callable


class NotReady(Exception):
    """Raised by a check that does not pass yet; the text is the last state seen."""


class Cancelled(Exception):
    """A stop was requested during the wait."""


def until_ready(
    check: Callable[[], None],
    timeout_seconds: float,
    what: str,
    give_up: Callable[[], None] = lambda: None,
    pause_seconds: float = 0.1,
) -> float:
    """Repeat `check` until it does not raise NotReady; returns the seconds it took. `give_up` may
    raise to end the wait early. Raises TimeoutError, which names `what` and the last state seen."""
    started = time.monotonic()
    while True:
        give_up()
        try:
            check()
            return time.monotonic() - started
        except NotReady as state:
            if time.monotonic() - started > timeout_seconds:
                raise TimeoutError(f"{what} not ready after {timeout_seconds:g} s: {state}") from None
        time.sleep(pause_seconds)
