"""Downloaded files, kept outside the checkout and shared by every clone of the same user. Takes
what Maven already has on this machine; downloads the others, four at a time."""

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local import repository
from local.artifacts import Artifact
from local.download import Download, is_whole
from local.lock import Lock

PARALLEL = 4
NAME = "crypto-cdc"


def directory(fallback: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """$XDG_CACHE_HOME/crypto-cdc or ~/.cache/crypto-cdc; `fallback` for a user without a writable
    home."""
    root = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    found = Path(root) / NAME
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError:
        return fallback
    return found if os.access(found, os.W_OK) else fallback


def place(source: Path, target: Path) -> None:
    """`source` as `target`: a hard link, or a copy where the file system allows none. `target`
    appears only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".new")
    unfinished.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), unfinished)
    except OSError:
        shutil.copy2(source, unfinished)
    os.replace(unfinished, target)


class _Count:
    """Adds up what has arrived, from any thread."""

    def __init__(self, files: int, total_bytes: int, progress: Callable[[str], None]) -> None:
        self._files = files
        self._total_bytes = total_bytes
        self._progress = progress
        self._done_bytes = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._done_bytes += count
            done, total = self._done_bytes / 1e6, self._total_bytes / 1e6
        self._progress(f"downloaded {done:.1f} of {total:.1f} MB ({self._files} files)")


class Cache:
    """The files of one cache directory, each at its path in a Maven repository."""

    def __init__(self, root: Path, kept_by_maven: Callable[[str], Path] = repository.kept_by_maven) -> None:
        self._root = root
        self._kept_by_maven = kept_by_maven

    def path(self, artifact: Artifact) -> Path:
        return self._root / artifact.path

    def missing(self, artifacts: Iterable[Artifact]) -> list[Artifact]:
        """Those that have to be downloaded. Adopts what Maven has."""
        return [artifact for artifact in dict.fromkeys(artifacts) if not self._has(artifact)]

    def _has(self, artifact: Artifact) -> bool:
        target, of_maven = self.path(artifact), self._kept_by_maven(artifact.path)
        if is_whole(target, artifact.bytes, artifact.sha256):
            return True
        if not is_whole(of_maven, artifact.bytes, artifact.sha256):
            return False
        place(of_maven, target)
        return True

    def provide(
        self,
        artifacts: Iterable[Artifact],
        base_url: Callable[[], str],
        progress: Callable[[str], None],
        stop: threading.Event,
    ) -> int:
        """Make every artifact available at its `path`; returns the number of bytes downloaded.
        Raises DownloadFailed, DownloadCancelled."""
        lock = Lock(self._root / "lock", wait=True)  # another clone may download the same files
        try:
            wanted = self.missing(artifacts)
            if wanted:
                self._download(wanted, base_url(), progress, stop)
            return sum(artifact.bytes for artifact in wanted)
        finally:
            lock.release()

    def _download(
        self, wanted: list[Artifact], base_url: str, progress: Callable[[str], None], stop: threading.Event
    ) -> None:
        count = _Count(len(wanted), sum(artifact.bytes for artifact in wanted), progress)
        failed = threading.Event()

        def fetch(artifact: Artifact) -> None:
            if stop.is_set() or failed.is_set():
                return
            url, target = f"{base_url}/{artifact.path}", self.path(artifact)
            try:
                Download(url, target, artifact.bytes, artifact.sha256, count.add, stop).run()
            except BaseException:
                failed.set()
                raise

        # The large files first: the last to finish should be a small one.
        by_size = sorted(wanted, key=lambda artifact: -artifact.bytes)
        with ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="download") as pool:
            jobs = [pool.submit(fetch, artifact) for artifact in by_size]
        for job in jobs:
            job.result()
