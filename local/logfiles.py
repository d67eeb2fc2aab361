"""The log files of the services: one file each, the previous one kept as `.1`. Knows nothing of
what is logged."""

import os
from pathlib import Path

TAIL_BYTES = 64 * 1024


def rotate(path: Path) -> None:
    """Make room for a new log: the current one becomes `.1`, the old `.1` is deleted, so that logs
    do not grow from start to start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        os.replace(path, path.with_name(path.name + ".1"))


def tail(path: Path, lines: int = 15) -> list[str]:
    """The last lines that are not empty, each cut to 300 characters."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line.rstrip()[:300] for line in text.splitlines() if line.strip()][-lines:]
