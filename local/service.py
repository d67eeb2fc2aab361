"""The description of one service: how it is started, when it is ready, how it is stopped. Starts
nothing itself."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.layout import ROOT

# Runs one command to completion, its output in the service's log. Raises local.runner.StartFailed.
RunStep = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Service:
    """`ready` returns when the service answers and raises NotReady before; a one-shot is ready when
    it exited with 0. `prepare` is called before every start and must be quick when there is nothing
    to do."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], None] = lambda: None
    after: tuple[str, ...] = ()
    prepare: Callable[[RunStep], None] = lambda run: None
    environ: Mapping[str, str] = field(default_factory=dict)
    directory: Path = ROOT
    user: str = ""
    one_shot: bool = False
    ready_seconds: float = 120.0
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 6.0
    # What the kernel sends when the supervisor is killed. SIGKILL, so that no process keeps a port.
    death_signal: int = signal.SIGKILL
