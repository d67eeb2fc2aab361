"""One flag that SIGTERM and SIGINT set. Loops wait on it instead of sleeping. Knows nothing of
what is stopped."""

import signal
import threading


class Stop:
    """Set once, never cleared. Loops pass time only with `wait`, so a stop takes effect at once."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self, *_: object) -> None:
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait `seconds`, or less if a stop is requested. Returns whether to stop."""
        return self._event.wait(seconds)


def on_signals() -> Stop:
    """A Stop that SIGTERM (docker stop, systemd) and SIGINT (Ctrl-C) set. Call it from the main
    thread."""
    stop = Stop()
    signal.signal(signal.SIGTERM, stop.set)
    signal.signal(signal.SIGINT, stop.set)
    return stop
