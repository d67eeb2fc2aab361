"""One child process with a session of its own. Knows how to start, signal and end it; does not know
what it is for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from local import procfs

# PR_SET_PDEATHSIG acts when the thread that forked ends, so one thread that never ends starts every
# child.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
# A killed process ends at once unless it waits for the disk.
SWEEP_SECONDS = 3.0
_LAUNCH = str(Path(__file__).with_name("launch.py"))


class Process:
    """A started program. The leader of its own session and group, so that its descendants can be
    ended with it."""

    def __init__(self, popen: subprocess.Popen[bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._popen = popen
        self._clock = clock
        self.pid = popen.pid
        self.start_ticks = procfs.start_ticks(popen.pid)
        self.started_at = clock()

    @property
    def output(self) -> IO[bytes] | None:
        """Its output, if it was started with a pipe."""
        return self._popen.stdout

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    def wait(self, seconds: float | None = None) -> int | None:
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def ran_seconds(self) -> float:
        return self._clock() - self.started_at

    def send(self, signum: int) -> None:
        """To the program only, which ends its own children in the right order."""
        if self.exit_code() is None:
            self._popen.send_signal(signum)

    def send_group(self, signum: int) -> None:
        """To the program and every descendant that stayed in its session."""
        try:
            os.killpg(self.pid, signum)
        except ProcessLookupError:
            pass

    def stop(self, signum: int = signal.SIGTERM, grace_seconds: float = 8.0) -> None:
        """Send `signum`, wait for `grace_seconds`, then kill the program and its whole group."""
        self.send(signum)
        self.wait(grace_seconds)
        self.sweep()

    def sweep(self) -> None:
        """Kill what still runs of the group and wait until it has ended: the children of a server
        that has ended may hold its port or its memory."""
        deadline = self._clock() + SWEEP_SECONDS
        self.send_group(signal.SIGKILL)
        self.wait(SWEEP_SECONDS)
        while procfs.group_members(self.pid) and self._clock() < deadline:
            time.sleep(0.01)


def spawn(
    command: Sequence[str],
    output: int | IO[bytes],
    environ: Mapping[str, str],
    directory: Path,
    user: str = "",
    death_signal: int = signal.SIGKILL,
) -> Process:
    """Start `command` with both its outputs going to `output`. `death_signal` is sent to it
    when we are killed."""
    launcher = (sys.executable, "-I", "-S", _LAUNCH, str(os.getpid()), str(int(death_signal)), user)

    def start() -> Process:
        return Process(
            subprocess.Popen(
                [*launcher, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                cwd=directory,
                start_new_session=True,
            )
        )

    return _spawner.submit(start).result()
