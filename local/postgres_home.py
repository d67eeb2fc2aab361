"""Where PostgreSQL keeps its data, and as which user it runs: it refuses to run as root, and its
user must be able to reach the directory. Knows users and permissions; knows nothing of SQL."""

import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from local import procfs
from local.postgres_programs import PostgresPrograms


def unprivileged_user() -> str:
    """The user that PostgreSQL runs as; empty (our own) unless we are root."""
    if os.geteuid() != 0:
        return ""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise LookupError("PostgreSQL cannot run as root and there is no user postgres or nobody: run as another user")


def may_reach(path: Path, user: str) -> bool:
    """Whether `user` may pass through every directory down to `path` (as far as it exists)."""
    who = pwd.getpwnam(user)
    groups = set(os.getgrouplist(user, who.pw_gid))
    for part in (path, *path.parents):
        if not part.exists():
            continue
        info = part.stat()
        owner, group = info.st_uid == who.pw_uid, info.st_gid in groups
        needed = stat.S_IXUSR if owner else stat.S_IXGRP if group else stat.S_IXOTH
        if not info.st_mode & needed:
            return False
    return True


def home(state_dir: Path, user: str) -> Path:
    """PostgreSQL's directory, made if missing, owned by `user`. If only
    root may enter `state_dir`, the directory is in the temporary directory that survives a restart,
    and state_dir/postgres is a link to it."""
    place = state_dir / "postgres"
    if place.is_symlink() and not place.exists():
        place.unlink()
    if not place.exists():
        if user and not may_reach(state_dir, user):
            parent = "/var/tmp" if Path("/var/tmp").is_dir() else None
            place.symlink_to(tempfile.mkdtemp(prefix="crypto-postgres-", dir=parent))
        else:
            place.mkdir(parents=True)
    real = place.resolve()
    if user:
        who = pwd.getpwnam(user)
        os.chown(real, who.pw_uid, who.pw_gid)
    real.chmod(0o700)
    return real


def reachable(programs: PostgresPrograms, home_dir: Path, user: str) -> PostgresPrograms:
    """`programs`, or a copy of them next to the data when `user` may not enter their directory."""
    if not user or may_reach(programs.bin_dir, user):
        return programs
    copy = home_dir / f"programs-{programs.major}"
    if not copy.exists():
        unfinished = copy.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(programs.bin_dir.parent, unfinished)
        unfinished.rename(copy)
    return PostgresPrograms(copy / "bin", programs.major)


def remove(state_dir: Path) -> None:
    """Remove PostgreSQL's directory wherever it is."""
    place = state_dir / "postgres"
    if place.exists():
        shutil.rmtree(place.resolve())
    if place.is_symlink():
        place.unlink()


def data_major(home_dir: Path) -> int | None:
    """The major version that created the data; None when there is no data yet."""
    try:
        return int((home_dir / "data" / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def drop_stale_lock(data_dir: Path) -> None:
    """Remove a postmaster.pid whose process has ended. PostgreSQL does so itself unless the pid has
    been given to another process, for example after a restart of the machine."""
    lock = data_dir / "postmaster.pid"
    try:
        pid = abs(int(lock.read_text(encoding="utf-8").split("\n", 1)[0]))
    except (OSError, ValueError):
        return
    if procfs.working_directory(pid) != str(data_dir):
        lock.unlink()
