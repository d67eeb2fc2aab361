import subprocess

import pytest

from local.layout import ROOT
from local.lock import AlreadyRunning, Lock


def test_the_error_names_the_process_that_holds_the_lock(tmp_path, python):
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from local.lock import Lock\n"
        "held = Lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([python, "-c", program, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=rf"pid {holder.pid}\)"):
            Lock(path)
        holder.kill()
    Lock(path).release()  # released with its holder


def test_a_released_lock_can_be_taken_again(tmp_path):
    Lock(tmp_path / "lock").release()
    Lock(tmp_path / "lock").release()


def test_children_do_not_inherit_the_lock(tmp_path):
    lock = Lock(tmp_path / "lock")
    with subprocess.Popen(["sleep", "600"], close_fds=False) as child:
        lock.release()
        Lock(tmp_path / "lock").release()
        child.kill()
