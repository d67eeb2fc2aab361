"""Time that passes only when a test lets it. Knows nothing of what is under test but the interface
of Stop."""

from pipeline.stopping import Stop


class FakeClock:
    """Callable like time.monotonic and time.time; `sleep` lets time pass at once."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class FakeStop(Stop):
    """A Stop whose waits return at once, and let time pass on `clock` if one is given.
    `after_waits`: how many waits pass before it is requested; None: never."""

    def __init__(self, after_waits: int | None = None, clock: FakeClock | None = None) -> None:
        self.waits: list[float] = []
        self._after_waits = after_waits
        self._clock = clock
        self._set = False

    def set(self, *_: object) -> None:
        self._set = True

    @property
    def requested(self) -> bool:
        return self._set or (self._after_waits is not None and len(self.waits) >= self._after_waits)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        if self._clock is not None:
            self._clock.now += seconds
        return self.requested
