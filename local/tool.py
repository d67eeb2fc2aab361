"""Runs pip and passes on its output line by line. It ends with us."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local import logfiles, process
from local.layout import ROOT, STATE
from local.process import Process

_running: list[Process] = []
_ending = threading.Event()


class ToolFailed(Exception):
    """A tool ended with an error; `log` holds its whole output."""

    def __init__(self, name: str, code: int | None, log: Path) -> None:
        super().__init__(f"{name} ended with {code}; log: {log}")
        self.log = log


def run_tool(
    name: str,
    command: Sequence[str],
    on_line: Callable[[str], None] = lambda line: None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Run to completion, its output in the log `name`. Raises ToolFailed."""
    path = STATE / "log" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    child = process.spawn(command, subprocess.PIPE, {**os.environ, **(environ or {})}, ROOT)
    _running.append(child)
    if _ending.is_set():  # `end_all` may have come between the two lines above
        child.sweep()
    with open(path, "ab") as log:
        for line in child.output or ():
            log.write(line)
            on_line(line.decode(errors="replace").rstrip())
    code = child.wait()
    _running.remove(child)
    if code != 0:
        raise ToolFailed(name, code, path)


def fresh_log(name: str) -> None:
    logfiles.rotate(STATE / "log" / f"{name}.log")


def end_all() -> None:
    """Kill every tool; one that is started later ends at once."""
    _ending.set()
    for child in list(_running):
        child.sweep()
