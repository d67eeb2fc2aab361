"""Deletes everything that this package creates. Refuses while any of it is in use."""

import shutil
from pathlib import Path

from local import pidfile, postgres_home
from local.layout import THREE_NODES
from local.lock import Lock


class StillInUse(Exception):
    """Services of a test are still running."""


def clean(state_dir: Path) -> None:
    """Delete `state_dir` and PostgreSQL's directories, wherever they are. Raises AlreadyRunning or
    StillInUse."""
    lock = Lock(state_dir / "lock")
    try:
        stacks = [path.parent for path in state_dir.glob("test/*/pids.json")]
        for stack in stacks:
            for record in pidfile.read(stack / "pids.json"):
                if pidfile.survivors(record, stack):
                    raise StillInUse(f"tests are running: {record.name} of {stack} is pid {record.pid}")
        mains = (state_dir, state_dir / THREE_NODES.name)
        for stack in mains:
            pidfile.stop_stale(stack / "pids.json", stack)
        for stack in (*mains, *stacks):
            postgres_home.remove(stack)
        shutil.rmtree(state_dir)
    finally:
        lock.release()
