import os
import subprocess

import pytest

from local import pidfile, procfs
from local.clean import StillInUse, clean
from local.lock import AlreadyRunning, Lock


def test_everything_is_removed(tmp_path):
    state = tmp_path / ".local"
    (state / "kafka").mkdir(parents=True)
    (state / "postgres").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    clean(state)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_removed_while_a_stack_runs(tmp_path):
    held = Lock(tmp_path / "lock")
    (tmp_path / "kafka").mkdir()
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        clean(tmp_path)
    assert (tmp_path / "kafka").exists()
    held.release()


def test_nothing_is_removed_while_a_test_runs(tmp_path):
    stack = tmp_path / "test" / "delivery"
    stack.mkdir(parents=True)
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as server:
        record = pidfile.Record("kafka", server.pid, procfs.start_ticks(server.pid))
        pidfile.PidFile(stack / "pids.json").add(record)
        with pytest.raises(StillInUse, match="kafka"):
            clean(tmp_path)
        server.kill()
    clean(tmp_path)
    assert not tmp_path.exists()
