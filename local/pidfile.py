"""A file of the processes we started, so that the next start can end those that a killed supervisor
left behind. Identifies a process by pid *and* start time, never by name."""

import json
import os
import signal
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from local import procfs

# In the environment of every child: proves that a process of a leaderless group is ours.
MARK = "CRYPTO_LOCAL_STATE"


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    pid: int
    start_ticks: int
    stop_signal: int = signal.SIGTERM


class PidFile:
    """The living children of one stack. Every change is on disk before the method returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: dict[int, Record] = {}
        self._lock = threading.Lock()

    def add(self, record: Record) -> None:
        with self._lock:
            self._records[record.pid] = record
            self._write()

    def remove(self, pid: int) -> None:
        with self._lock:
            if self._records.pop(pid, None):
                self._write()

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps([asdict(record) for record in self._records.values()]), encoding="utf-8")
        os.replace(new, self._path)


def read(path: Path) -> list[Record]:
    """The records of the file; an empty list when it is missing or damaged."""
    try:
        return [Record(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def survivors(record: Record, state_dir: Path) -> list[int]:
    """The pids of the processes that `record` started and that still run. An unrelated process that
    was given the same pid is not among them."""
    if procfs.start_ticks(record.pid) == record.start_ticks:
        return procfs.group_members(record.pid)
    return [pid for pid in procfs.group_members(record.pid) if procfs.has_environment(pid, MARK, str(state_dir))]


def stop_stale(path: Path, state_dir: Path, grace_seconds: float = 10.0) -> list[str]:
    """End what an earlier supervisor left behind: first by its stop signal, then by SIGKILL.
    Returns the names of the services that were found."""
    left = {record: survivors(record, state_dir) for record in read(path)}
    left = {record: pids for record, pids in left.items() if pids}
    for record, pids in left.items():
        _send(record.pid if record.pid in pids else pids[0], record.stop_signal)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(survivors(record, state_dir) for record in left):
        time.sleep(0.1)
    for record in left:
        for pid in survivors(record, state_dir):
            _send(pid, signal.SIGKILL)
    path.unlink(missing_ok=True)
    return [record.name for record in left]


def _send(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass
