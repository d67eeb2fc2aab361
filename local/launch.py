"""Becomes the given program, as the given user, and dies with its parent:
`python3 -I -S launch.py PARENT_PID DEATH_SIGNAL USER COMMAND…` (an empty USER changes nothing).

A program of its own and not subprocess's preexec_fn, which may deadlock in a process with threads.
Knows only the standard library."""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become_user(name: str) -> None:
    import pwd

    user = pwd.getpwnam(name)
    os.initgroups(name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=name, LOGNAME=name)


def main(parent_pid: int, death_signal: int, user: str, command: list[str]) -> None:
    if user:
        become_user(user)
    # After the change of user, which clears it. The kernel sends the signal when the parent
    # *thread* ends: local/process.py starts every child from one thread that lives as long as the
    # process.
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        sys.exit("the supervisor ended before this program started")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
