"""What is kept between two starts: stamps, logs, the start of a replay, PostgreSQL's directory."""

import os
import pwd

import pytest

from local import logfiles, postgres_home, postgres_programs, stamp
from local.postgres_programs import PostgresPrograms
from local.replay import replay_options


def test_a_stamp_matches_until_a_file_changes(tmp_path):
    file, kept = tmp_path / "requirements.txt", tmp_path / "stamp"
    file.write_text("flask")
    assert not stamp.matches(kept, stamp.digest([file]))
    stamp.write(kept, stamp.digest([file]))
    assert stamp.matches(kept, stamp.digest([file]))
    file.write_text("flask>=3")
    assert not stamp.matches(kept, stamp.digest([file]))


def test_the_tail_of_a_log_is_its_last_lines(tmp_path):
    log = tmp_path / "kafka.log"
    log.write_text("".join(f"line {number}\n\n" for number in range(50_000)))
    assert logfiles.tail(log, 2) == ["line 49998", "line 49999"]


def test_a_missing_log_has_no_tail(tmp_path):
    assert logfiles.tail(tmp_path / "none.log") == []


def test_a_replay_keeps_its_shift_over_a_restart(tmp_path):
    first = replay_options(tmp_path, tmp_path, now_seconds=1_790_000_042.5)
    later = replay_options(tmp_path, tmp_path, now_seconds=1_790_009_999.0)
    assert first == later
    assert first[2:] == ("--replay-start", "2026-09-21T02:14:00Z")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes owners")
def test_a_directory_only_root_may_enter_is_not_reached(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody").pw_name
    assert not postgres_home.may_reach(closed / "data", nobody)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_under_a_closed_directory_the_data_is_elsewhere_and_is_removed_with_it(tmp_path):
    state = tmp_path / "closed" / ".local"
    state.mkdir(parents=True)
    state.parent.chmod(0o700)
    home = postgres_home.home(state, "nobody")
    assert postgres_home.may_reach(home, "nobody")
    assert postgres_home.home(state, "nobody") == home
    postgres_home.remove(state)
    assert not home.exists()
    assert not (state / "postgres").is_symlink()


def test_without_root_the_data_is_in_the_state_directory(tmp_path):
    assert postgres_home.home(tmp_path, "") == tmp_path / "postgres"


@pytest.mark.parametrize("pid", [os.getpid(), 2**22 + 1])
def test_a_postmaster_lock_of_another_or_no_process_is_dropped(tmp_path, pid):
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{pid}\n{tmp_path}\n")
    postgres_home.drop_stale_lock(tmp_path)
    assert not lock.exists()


def test_the_lock_of_a_running_postmaster_stays(tmp_path, monkeypatch):
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n")
    monkeypatch.chdir(tmp_path)
    postgres_home.drop_stale_lock(tmp_path)
    assert lock.exists()


def test_existing_data_decides_the_version_of_postgres(tmp_path):
    newest, older = PostgresPrograms(tmp_path / "18", 18), PostgresPrograms(tmp_path / "15", 15)
    assert postgres_programs.choose([newest, older], None) == newest
    assert postgres_programs.choose([newest, older], 15) == older
    assert postgres_programs.choose([newest], 15) is None
