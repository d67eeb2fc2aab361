"""Starts services again that died, as `restart: unless-stopped` would. Knows when; local/runner.py
knows how."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from local import logfiles
from local.runner import Runner, StartFailed
from local.waiting import NotReady
from pipeline.backoff import Backoff

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 30.0
# A service that ran this long was well: its next death is a new story.
WELL_AFTER_SECONDS = 60.0
REPEATED = 2


def _backoff() -> Backoff:
    return Backoff(FIRST_SECONDS, LONGEST_SECONDS, rand=lambda: 0.0)


@dataclass(slots=True)
class Watched:
    """What is known of one service's deaths. `due` is when to start it, `recovering` since when it
    is on its way."""

    backoff: Backoff = field(default_factory=_backoff)
    due: float | None = None
    recovering: float | None = None


class Keeper:
    """Call `step` often. One line on the console for each death and each recovery."""

    def __init__(
        self, runner: Runner, say: Callable[[str, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._runner = runner
        self._say = say
        self._clock = clock
        self._watched: dict[str, Watched] = {}

    def step(self) -> None:
        for name in self._runner.kept():
            watched = self._watched.setdefault(name, Watched())
            if watched.due is not None:
                self._start_when_due(name, watched)
            elif self._runner.exit_code(name) is not None:
                self._died(name, watched, self._runner.exit_code(name))
            elif watched.recovering is not None:
                self._look_at_recovery(name, watched)

    def _died(self, name: str, watched: Watched, code: int) -> None:
        if self._runner.ran_seconds(name) >= WELL_AFTER_SECONDS:
            watched.backoff.reset()
        delay = watched.backoff.next_seconds()
        watched.due, watched.recovering = self._clock() + delay, None
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self._say(name, f"{ended}; starting it again in {delay:g} s; log: {self._runner.log_path(name)}")
        if watched.backoff.attempts >= REPEATED:
            self._show_log(name)

    def _start_when_due(self, name: str, watched: Watched) -> None:
        if self._clock() < watched.due:
            return
        watched.due, watched.recovering = None, self._clock()
        try:
            self._runner.start_service(name)
        except StartFailed as error:
            delay = watched.backoff.next_seconds()
            watched.due = self._clock() + delay
            self._say(name, f"{error.reason}; trying again in {delay:g} s; log: {error.log}")

    def _look_at_recovery(self, name: str, watched: Watched) -> None:
        try:
            self._runner.services[name].ready()
        except NotReady:
            return
        self._say(name, f"ready again ({self._clock() - watched.recovering:.1f} s)")
        watched.recovering = None

    def _show_log(self, name: str) -> None:
        for line in logfiles.tail(self._runner.log_path(name), lines=5):
            self._say(name, f"  | {line}")
