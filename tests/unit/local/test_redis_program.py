"""redis-server is used if it is there and new enough; without it, nothing else changes."""

import pytest

from local import redis_program, stack
from local.stack import CATALOG, available


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """`installed("7.0.15")`: a program of that version is the only one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_program, "UNPACKED", tmp_path / "none")

    def install(version: str) -> str:
        program = tmp_path / "redis-server"
        program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64'\n")
        program.chmod(0o755)
        return str(program)

    return install


@pytest.mark.parametrize("version", ["7.0.15", "8.10.2", "10.0.0"])
def test_new_enough_program_is_found(installed, version):
    program = installed(version)
    assert redis_program.find() == program


def test_old_program_is_as_good_as_none(installed):
    installed("6.0.16")
    assert redis_program.find() is None


def test_without_it_all_but_redis_and_its_consumer_can_run(installed, monkeypatch):
    assert redis_program.find() is None
    assert set(CATALOG) - set(available()) == {"redis", "consumer-redis"}
    monkeypatch.setattr(stack.redis_program, "find", lambda: "/usr/bin/redis-server")
    assert available() == list(CATALOG)
