"""Restarts services that ended, as `restart: unless-stopped` would. Decides when; local/runner.py
knows how."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local import logfiles
from local.runner import StartFailed
from local.service import Service
from local.waiting import NotReady
from pipeline.backoff import Backoff

FIRST_SECONDS, MAX_SECONDS = 1.0, 30.0
# The delay starts from the beginning after a service ran for this long.
STABLE_AFTER_SECONDS = 60.0
# From this many failures in a row the end of the log is printed.
REPEATED = 2


def _backoff() -> Backoff:
    return Backoff(FIRST_SECONDS, MAX_SECONDS, rand=lambda: 0.0)


@dataclass(slots=True)
class Watched:
    """The failures of one service. `due`: when to start it again. `started`: when it was started
    again, until it is ready."""

    backoff: Backoff = field(default_factory=_backoff)
    due: float | None = None
    started: float | None = None


class KeptRunner(Protocol):
    """What a Keeper needs of local.runner.Runner."""

    @property
    def services(self) -> Mapping[str, Service]: ...

    def long_running(self) -> list[str]: ...

    def exit_code(self, name: str) -> int | None: ...

    def ran_seconds(self, name: str) -> float: ...

    def start_service(self, name: str) -> None: ...

    def log_path(self, name: str) -> Path: ...


class Keeper:
    """Call `step` often. Reports one line for each failure and each recovery."""

    def __init__(
        self, runner: KeptRunner, report: Callable[[str, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._runner = runner
        self._report = report
        self._clock = clock
        self._watched: dict[str, Watched] = {}

    def step(self) -> None:
        for name in self._runner.long_running():
            watched = self._watched.setdefault(name, Watched())
            if watched.due is not None:
                self._start_when_due(name, watched, watched.due)
            elif (code := self._runner.exit_code(name)) is not None:
                self._schedule_restart(name, watched, code)
            elif watched.started is not None:
                self._check_recovery(name, watched, watched.started)

    def _schedule_restart(self, name: str, watched: Watched, code: int) -> None:
        if self._runner.ran_seconds(name) >= STABLE_AFTER_SECONDS:
            watched.backoff.reset()
        delay = watched.backoff.next_seconds()
        watched.due, watched.started = self._clock() + delay, None
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self._report(name, f"{ended}; starting it again in {delay:g} s; log: {self._runner.log_path(name)}")
        if watched.backoff.attempts >= REPEATED:
            self._show_log(name)

    def _start_when_due(self, name: str, watched: Watched, due: float) -> None:
        if self._clock() < due:
            return
        watched.due, watched.started = None, self._clock()
        try:
            self._runner.start_service(name)
        except StartFailed as error:
            delay = watched.backoff.next_seconds()
            watched.due = self._clock() + delay
            self._report(name, f"{error.reason}; trying again in {delay:g} s; log: {error.log}")

    def _check_recovery(self, name: str, watched: Watched, started: float) -> None:
        try:
            self._runner.services[name].ready()
        except NotReady:
            return
        self._report(name, f"ready again ({self._clock() - started:.1f} s)")
        watched.started = None

    def _show_log(self, name: str) -> None:
        for line in logfiles.tail(self._runner.log_path(name), lines=5):
            self._report(name, f"  | {line}")
