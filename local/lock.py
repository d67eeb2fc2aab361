"""One stack at a time in a checkout. The kernel holds the lock, so that it ends with its process,
however that ended."""

import fcntl
import os
from pathlib import Path

HANDED_OVER = "LOCAL_LOCK_FD"


class AlreadyRunning(Exception):
    """Another process holds the lock; `pid` is its process id as the lock file says."""

    def __init__(self, pid: str) -> None:
        super().__init__(f"a stack is already running here (pid {pid}): stop it with Ctrl-C or `kill {pid}`")
        self.pid = pid


class Lock:
    """Held from construction to `release` or the end of the process. Raises AlreadyRunning."""

    def __init__(self, path: Path, wait: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            pid = os.read(self._fd, 32).decode().strip() or "unknown"
            os.close(self._fd)
            raise AlreadyRunning(pid) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._fd)

    def hand_over(self) -> dict[str, str]:
        """Keep the lock through an exec. Returns the variables to exec with."""
        os.set_inheritable(self._fd, True)
        return {HANDED_OVER: str(self._fd)}


def take_over() -> bool:
    """After the exec: keep the lock that was handed over, without passing it to our children.
    Returns whether there was one."""
    fd = os.environ.pop(HANDED_OVER, "")
    if not fd:
        return False
    os.set_inheritable(int(fd), False)
    return True
