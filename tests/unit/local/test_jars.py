"""Jars end up unpacked in directories of their own, from a cache, once per version."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import artifacts, jars
from local.artifacts import Artifact
from tests.unit.local.file_server import FileServer, serving


def packed(name: str, content: bytes, mode: str) -> bytes:
    """A tar archive with one file."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, content)
    return target.getvalue()


FILES = {
    "org/a/1/a-1.jar": b"a class path",
    "org/b/1/b-1-plugin.tar.gz": packed("plugin/b.jar", b"the connector", "w:gz"),
    "org/p/1/embedded-postgres-binaries-x-1.jar": zipped("p.txz", packed("bin/postgres", b"#!/bin/sh\n", "w:xz")),
}


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[FileServer]:
    """Three modules of one file each in the lock file, a repository that has them, no cache."""
    locked = {
        path.split("/")[1]: (Artifact(path, len(content), hashlib.sha256(content).hexdigest()),)
        for path, content in FILES.items()
    }
    monkeypatch.setattr(artifacts, "read", lambda: locked)
    monkeypatch.setattr(jars, "JARS", tmp_path / "jars")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with serving() as running:
        running.files.update(FILES)
        monkeypatch.setenv("MAVEN_REPOSITORY_URL", f"{running.address}/")
        yield running


def fetch(modules=("a", "b", "p")) -> bool:
    return jars.fetch(modules, lambda text: None, lambda text: None, threading.Event())


def contents(directory: Path) -> dict[str, bytes]:
    found = {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }
    return {name: content for name, content in found.items() if not name.endswith("stamp")}


@pytest.mark.usefixtures("server")
def test_archives_are_unpacked_and_jars_are_not(tmp_path):
    assert fetch()
    expected = {"a/a-1.jar": b"a class path", "b/plugin/b.jar": b"the connector", "p/bin/postgres": b"#!/bin/sh\n"}
    assert contents(tmp_path / "jars") == expected
    assert (tmp_path / "jars" / "p" / "bin" / "postgres").stat().st_mode & 0o100


def test_a_second_start_fetches_nothing(server):
    fetch()
    assert not fetch()
    assert len(server.requests) == 3


def test_another_clone_takes_everything_from_the_cache(server, tmp_path, monkeypatch):
    assert jars.must_download(("a", "b", "p"))
    fetch()
    monkeypatch.setattr(jars, "JARS", tmp_path / "clone" / "jars")
    assert not jars.must_download(("a", "b", "p"))
    assert fetch()
    assert len(server.requests) == 3
    assert contents(tmp_path / "clone" / "jars") == contents(tmp_path / "jars")


def test_a_new_version_replaces_the_old_one(server, tmp_path, monkeypatch):
    fetch()
    newer = b"a newer class path"
    server.files["org/a/2/a-2.jar"] = newer
    locked = {"a": (Artifact("org/a/2/a-2.jar", len(newer), hashlib.sha256(newer).hexdigest()),)}
    monkeypatch.setattr(artifacts, "read", lambda: locked)
    assert jars.missing(["a"]) == ["a"]
    fetch(["a"])
    assert contents(tmp_path / "jars" / "a") == {"a-2.jar": newer}
