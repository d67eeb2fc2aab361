import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cache
from local.artifacts import Artifact
from local.cache import Cache
from local.download import DownloadFailed
from tests.unit.local.file_server import FileServer, serving

CONTENTS = {f"org/example/{name}/1/{name}-1.jar": os.urandom(20_000 + number) for number, name in enumerate("abcdefgh")}
ARTIFACTS = [Artifact(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in CONTENTS.items()]


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as running:
        running.files.update(CONTENTS)
        yield running


@pytest.fixture
def maven(tmp_path) -> Path:
    return tmp_path / "m2"


@pytest.fixture
def kept(tmp_path, maven) -> Cache:
    return Cache(tmp_path / "cache", lambda path: maven / path)


def provide(kept: Cache, server: FileServer, wanted=ARTIFACTS, progress=lambda text: None) -> int:
    return kept.provide(wanted, lambda: server.address, progress, threading.Event())


def test_every_file_is_downloaded_once(kept, server):
    assert provide(kept, server) == sum(map(len, CONTENTS.values()))
    assert {artifact.path: kept.path(artifact).read_bytes() for artifact in ARTIFACTS} == CONTENTS
    assert provide(kept, server) == 0
    assert len(server.requests) == len(ARTIFACTS)


def test_progress_counts_the_bytes_of_all_files(kept, server):
    lines: list[str] = []
    provide(kept, server, progress=lines.append)
    assert lines[-1] == "downloaded 0.2 of 0.2 MB (8 files)"


def test_a_damaged_file_is_downloaded_again(kept, server):
    provide(kept, server)
    damaged = kept.path(ARTIFACTS[3])
    damaged.write_bytes(b"x" * ARTIFACTS[3].bytes)
    assert provide(kept, server) == ARTIFACTS[3].bytes
    assert damaged.read_bytes() == CONTENTS[ARTIFACTS[3].path]


def test_what_maven_has_is_not_downloaded(kept, maven, server):
    for artifact in ARTIFACTS[:2]:
        (maven / artifact.path).parent.mkdir(parents=True)
        (maven / artifact.path).write_bytes(CONTENTS[artifact.path])
    (maven / ARTIFACTS[1].path).write_bytes(b"another")
    assert provide(kept, server, ARTIFACTS[:2]) == ARTIFACTS[1].bytes
    assert [path for path, _ in server.requests] == [f"/{ARTIFACTS[1].path}"]
    assert kept.path(ARTIFACTS[0]).read_bytes() == CONTENTS[ARTIFACTS[0].path]


def test_without_anything_to_download_the_address_is_not_asked_for(kept, server):
    provide(kept, server)

    def address() -> str:
        raise AssertionError("asked")

    kept.provide(ARTIFACTS, address, lambda text: None, threading.Event())


def test_a_file_that_the_repository_lacks_is_named(kept, server):
    del server.files[ARTIFACTS[0].path]
    with pytest.raises(DownloadFailed, match=r"a-1\.jar: the server answered 404"):
        provide(kept, server)


def test_two_clones_at_the_same_time_download_once(kept, server):
    clones = [threading.Thread(target=provide, args=(kept, server)) for _ in range(3)]
    for clone in clones:
        clone.start()
    for clone in clones:
        clone.join()
    assert len(server.requests) == len(ARTIFACTS)


def test_a_placed_file_shares_its_bytes_with_the_cache(tmp_path):
    source, target = tmp_path / "a.jar", tmp_path / "jars" / "a.jar"
    source.write_bytes(b"bytes")
    cache.place(source, target)
    assert target.samefile(source)


def test_the_cache_is_where_the_user_keeps_caches(tmp_path):
    assert (
        cache.directory(tmp_path / "no", {"XDG_CACHE_HOME": str(tmp_path / "xdg")}) == tmp_path / "xdg" / "crypto-cdc"
    )


def test_by_default_the_cache_is_in_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.directory(tmp_path / "no", {}) == tmp_path / ".cache" / "crypto-cdc"


def test_a_user_without_a_home_gets_the_other_directory(tmp_path, monkeypatch):
    occupied = tmp_path / "file"
    occupied.touch(mode=stat.S_IRUSR)
    monkeypatch.setenv("HOME", str(occupied))
    assert cache.directory(tmp_path / "fallback", {}) == tmp_path / "fallback"
