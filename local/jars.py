"""The programs that are made of jars: Kafka and Connect, Cassandra, Debezium's connector, and
PostgreSQL where the system has none. Downloads and unpacks them once per version; starts
nothing."""

import shutil
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from local import artifacts, cache, platforms, postgres_programs, repository, stamp
from local.cache import Cache, place
from local.download import DownloadCancelled
from local.layout import JARS, STATE
from local.postgres_programs import PostgresPrograms

ALWAYS = ("kafka", "cassandra", "debezium")


def postgres_module() -> str:
    """The module with PostgreSQL for this machine. Raises LookupError when there is none."""
    build = platforms.postgres_build()
    if not build:
        raise LookupError("PostgreSQL is missing, and no build of it for this machine can be downloaded")
    return f"postgres-{build}"


def postgres_from_jars() -> list[PostgresPrograms]:
    """PostgreSQL as unpacked by `fetch`; nothing when it was not needed."""
    if not platforms.postgres_build():
        return []
    found = postgres_programs.in_directory(JARS / postgres_module() / "bin")
    return [found] if found else []


def _value(files: Iterable[artifacts.Artifact]) -> str:
    return stamp.digest((), *(f"{file.path} {file.sha256}" for file in files))


def missing(modules: Iterable[str]) -> list[str]:
    locked = artifacts.read()
    return [module for module in modules if not stamp.matches(JARS / module / "stamp", _value(locked[module]))]


def _cache() -> Cache:
    return Cache(cache.directory(STATE / "cache") / "maven")


def must_download(modules: Iterable[str]) -> bool:
    """Whether `fetch` would need the network."""
    locked = artifacts.read()
    return bool(_cache().missing(file for module in missing(modules) for file in locked[module]))


def fetch(
    modules: Iterable[str], report: Callable[[str], None], progress: Callable[[str], None], stop: threading.Event
) -> bool:
    """Make the missing ones of `modules`, each in its own directory of JARS. Returns whether there
    was something to do. Raises DownloadFailed, DownloadCancelled."""
    wanted = missing(modules)
    if not wanted:
        return False
    locked = artifacts.read()
    downloads = _cache()
    report(f"fetching {', '.join(wanted)}")
    all_files = [file for module in wanted for file in locked[module]]
    downloaded = downloads.provide(all_files, repository.base_url, progress, stop)
    if stop.is_set():
        raise DownloadCancelled
    report(f"{len(all_files)} files, {downloaded / 1e6:.1f} MB of them downloaded")
    unfinished = JARS / "unfinished"
    for module in wanted:
        shutil.rmtree(unfinished, ignore_errors=True)
        for file in locked[module]:
            place(downloads.path(file), unfinished / file.name)
        _unpack(unfinished)
        stamp.write(unfinished / "stamp", _value(locked[module]))
        shutil.rmtree(JARS / module, ignore_errors=True)
        unfinished.rename(JARS / module)
    return True


def _unpack(directory: Path) -> None:
    """Unpack the archives that are no class path: the connector's plugin and PostgreSQL."""
    for archive in directory.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            _extract(tar, directory)
        archive.unlink()
    for jar in directory.glob("embedded-postgres-binaries-*.jar"):
        with zipfile.ZipFile(jar) as outer:
            inner = next(name for name in outer.namelist() if name.endswith(".txz"))
            with outer.open(inner) as file, tarfile.open(fileobj=file, mode="r:xz") as tar:
                _extract(tar, directory)
        jar.unlink()


def _extract(tar: tarfile.TarFile, directory: Path) -> None:
    # Python 3.11.2 (Debian 12) has no filters yet; what is unpacked here has the locked sum.
    if hasattr(tarfile, "data_filter"):
        tar.extraction_filter = tarfile.data_filter
    tar.extractall(directory)
