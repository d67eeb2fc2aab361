"""What /proc tells about processes. Reads only; sends no signals."""

import os
from collections.abc import Iterator


def _stat_fields(pid: int) -> list[str]:
    # The command name (field 2) may hold spaces and parentheses, so count from its last
    # parenthesis.
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def start_ticks(pid: int) -> int | None:
    """When `pid` started, in clock ticks since boot; None when there is no such process or it is a
    zombie. A pid with its start time identifies one process; a pid alone is used again."""
    try:
        fields = _stat_fields(pid)
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def group_members(group: int) -> list[int]:
    """The running processes of a process group, without zombies."""
    members = []
    for pid in pids():
        try:
            fields = _stat_fields(pid)
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            members.append(pid)
    return members


def command_line(pid: int) -> str:
    """The command of `pid`, cut to one readable line; empty when it is not visible to us."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return ""
    line = b" ".join(words).decode(errors="replace").strip()
    return line if len(line) <= 80 else line[:77] + "..."


def has_environment(pid: int, name: str, value: str) -> bool:
    """Whether `pid` was started with `name`=`value`; False when that is not visible to us."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{name}={value}".encode() in file.read().split(b"\0")
    except OSError:
        return False


def working_directory(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def listener(port: int) -> int | None:
    """The pid that listens on TCP `port`; None when there is none or it belongs to another
    user."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except OSError:
            continue
        listening = "0A"
        inodes |= {row[9] for row in rows if row[3] == listening and int(row[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for pid in pids() if wanted else ():
        try:
            if any(os.readlink(entry.path) in wanted for entry in os.scandir(f"/proc/{pid}/fd")):
                return pid
        except OSError:
            continue
    return None
