import hashlib
import os
import threading
from collections.abc import Iterator

import pytest

from local.download import Download, DownloadCancelled, DownloadFailed
from local.ports import free_ports
from tests.unit.local.file_server import FileServer, serving

CONTENT = os.urandom(300_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as running:
        running.files["a.jar"] = CONTENT
        yield running


def download(server: FileServer, target, expected: str = SUM, **options) -> list[int]:
    """Run one download without pauses; returns what it reported as progress."""
    progress: list[int] = []
    options = {"pauses_seconds": (0.0, 0.0), **options}
    Download(f"{server.address}/a.jar", target, len(CONTENT), expected, progress.append, **options).run()
    return progress


def test_the_file_arrives_whole_and_without_leftovers(server, tmp_path):
    target = tmp_path / "org" / "a.jar"
    assert sum(download(server, target)) == len(CONTENT)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_broken_connection_is_continued_where_it_broke(server, tmp_path):
    server.break_after = [100_000, 50_000]
    progress = download(server, tmp_path / "a.jar")
    assert (tmp_path / "a.jar").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == ["", "bytes=100000-", "bytes=150000-"]
    assert sum(progress) == len(CONTENT)


def test_an_interrupted_download_is_continued_by_the_next_start(server, tmp_path):
    (tmp_path / "a.jar.part").write_bytes(CONTENT[:200_000])
    progress = download(server, tmp_path / "a.jar")
    assert server.requests == [("/a.jar", "bytes=200000-")]
    assert (tmp_path / "a.jar").read_bytes() == CONTENT
    assert progress[0] == 200_000
    assert sum(progress) == len(CONTENT)


def test_a_server_without_ranges_is_asked_for_the_whole_file(server, tmp_path):
    server.ranges = False
    server.break_after = [100_000]
    progress = download(server, tmp_path / "a.jar")
    assert (tmp_path / "a.jar").read_bytes() == CONTENT
    assert sum(progress) == len(CONTENT)


def test_a_whole_part_needs_no_request(server, tmp_path):
    (tmp_path / "a.jar.part").write_bytes(CONTENT)
    download(server, tmp_path / "a.jar")
    assert server.requests == []


def test_a_damaged_part_is_downloaded_from_the_beginning(server, tmp_path):
    (tmp_path / "a.jar.part").write_bytes(b"x" * 1000)
    progress = download(server, tmp_path / "a.jar")
    assert (tmp_path / "a.jar").read_bytes() == CONTENT
    assert sum(progress) == len(CONTENT)


def test_a_part_longer_than_the_file_is_discarded(server, tmp_path):
    (tmp_path / "a.jar.part").write_bytes(CONTENT + b"more")
    download(server, tmp_path / "a.jar")
    assert (tmp_path / "a.jar").read_bytes() == CONTENT


def test_a_wrong_sum_is_refused_and_leaves_nothing(server, tmp_path):
    with pytest.raises(DownloadFailed, match=rf"a\.jar: its SHA-256 sum is {SUM}, expected 00"):
        download(server, tmp_path / "a.jar", expected="00")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("served", [CONTENT[:-1], CONTENT + b"x"])
def test_a_file_of_another_size_is_refused(server, tmp_path, served):
    server.files["a.jar"] = served
    with pytest.raises(DownloadFailed, match=r"a\.jar"):
        download(server, tmp_path / "a.jar")
    assert not (tmp_path / "a.jar").exists()


def test_a_missing_file_is_not_tried_again(server, tmp_path):
    server.files.clear()
    with pytest.raises(DownloadFailed, match=r"a\.jar: the server answered 404"):
        download(server, tmp_path / "a.jar")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_server_is_tried_again(server, tmp_path, status):
    server.statuses = [status, status]
    download(server, tmp_path / "a.jar")
    assert (tmp_path / "a.jar").read_bytes() == CONTENT


def test_attempts_are_limited(server, tmp_path):
    server.statuses = [503] * 10
    with pytest.raises(DownloadFailed, match="503"):
        download(server, tmp_path / "a.jar")
    assert len(server.requests) == 3


def test_a_closed_port_is_named(tmp_path):
    with pytest.raises(DownloadFailed, match="refused"):
        download(FileServer(address=f"http://127.0.0.1:{free_ports(1)[0]}"), tmp_path / "a.jar")


def test_a_stop_keeps_what_has_arrived(server, tmp_path):
    stop = threading.Event()

    def stop_soon(count: int) -> None:
        if count:
            stop.set()

    with pytest.raises(DownloadCancelled):
        Download(f"{server.address}/a.jar", tmp_path / "a.jar", len(CONTENT), SUM, stop_soon, stop).run()
    assert 0 < (tmp_path / "a.jar.part").stat().st_size < len(CONTENT)


def test_a_stop_ends_the_pause_between_two_attempts(server, tmp_path):
    stop = threading.Event()
    server.statuses = [503]
    stop.set()
    with pytest.raises(DownloadCancelled):
        download(server, tmp_path / "a.jar", stop=stop, pauses_seconds=(600.0,))
