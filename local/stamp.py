"""Records what something was made from, so that it is made again only when that changes."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(files: Iterable[Path], *more: str) -> str:
    """A hash of the files' contents and of `more`."""
    found = hashlib.sha256()
    for part in (*(file.read_bytes() for file in files), *(text.encode() for text in more)):
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()


def matches(stamp: Path, value: str) -> bool:
    try:
        return stamp.read_text(encoding="ascii") == value
    except OSError:
        return False


def write(stamp: Path, value: str) -> None:
    stamp.write_text(value, encoding="ascii")
