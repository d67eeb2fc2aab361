"""Which files of a Maven repository belong to which directory of jars: reads local/jars.lock.
Downloads nothing."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local.layout import JARS_LOCK


@dataclass(frozen=True, slots=True, order=True)
class Artifact:
    """One file. `path` is its place in every Maven repository, relative to the base address."""

    path: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


Lock = dict[str, tuple[Artifact, ...]]


def read(path: Path = JARS_LOCK) -> Lock:
    """The artifacts of each module."""
    modules = json.loads(path.read_text(encoding="utf-8"))
    return {name: tuple(Artifact(**entry) for entry in entries) for name, entries in modules.items()}


def write(lock: Lock, path: Path = JARS_LOCK) -> None:
    """Sorted, one line per file, so that a change of versions reads well as a diff."""
    modules = []
    for name, files in sorted(lock.items()):
        rows = [json.dumps({"path": file.path, "bytes": file.bytes, "sha256": file.sha256}) for file in sorted(files)]
        modules.append(f"  {json.dumps(name)}: [\n    " + ",\n    ".join(rows) + "\n  ]")
    path.write_text("{\n" + ",\n".join(modules) + "\n}\n", encoding="utf-8")
