"""Downloads one file over HTTP: continues after a break, checks size and SHA-256 sum, and gives the
file its name only when it is whole. Knows nothing of Maven."""

import hashlib
import os
import ssl
import threading
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError

CHUNK_BYTES = 128 * 1024
TIMEOUT_SECONDS = 30
# Pauses between attempts. An attempt that got further than all before it starts the list again.
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)


class DownloadFailed(Exception):
    """The file cannot be had; the text names it and says why."""


class DownloadCancelled(Exception):
    """`stop` was set."""


class _Interrupted(Exception):
    """The connection broke or the server is overloaded: try again."""


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(path: Path, size: int, expected_sha256: str) -> bool:
    """Whether `path` is there with the expected content."""
    return path.is_file() and path.stat().st_size == size and sha256(path) == expected_sha256


class Download:
    """Downloads to `target`; `on_bytes` is called with the growth (negative when bytes have to be
    discarded). `target` plus `.part` holds what has arrived so far."""

    def __init__(
        self,
        url: str,
        target: Path,
        size: int,
        expected_sha256: str,
        on_bytes: Callable[[int], None] = lambda count: None,
        stop: threading.Event | None = None,
        pauses_seconds: tuple[float, ...] = PAUSES_SECONDS,
    ) -> None:
        self._url = url
        self._target = target
        self._part = target.with_name(target.name + ".part")
        self._size = size
        self._sha256 = expected_sha256
        self._on_bytes = on_bytes
        self._stop = stop or threading.Event()
        self._pauses = pauses_seconds

    def run(self) -> None:
        """Raises DownloadFailed or DownloadCancelled."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        resumed = self._received()
        self._on_bytes(resumed)
        self._receive_all()
        if sha256(self._part) != self._sha256 and resumed:
            # What an earlier attempt left may be damaged: once more from the beginning.
            self._discard()
            self._receive_all()
        if (found := sha256(self._part)) != self._sha256:
            self._discard()
            raise DownloadFailed(f"{self._url}: its SHA-256 sum is {found}, expected {self._sha256}")
        os.replace(self._part, self._target)

    def _received(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _discard(self) -> None:
        self._on_bytes(-self._received())
        self._part.unlink(missing_ok=True)

    def _receive_all(self) -> None:
        attempts, most = 0, self._received()
        while self._received() != self._size:
            try:
                self._receive()
            except _Interrupted as reason:
                attempts = 0 if self._received() > most else attempts + 1
                most = max(most, self._received())
                if attempts > len(self._pauses):
                    raise DownloadFailed(f"{self._url}: {reason}") from None
                self._stop.wait(self._pauses[max(0, attempts - 1)])

    def _receive(self) -> None:
        """One request: everything after what is already there."""
        have = self._received()
        if have > self._size:
            self._discard()
            have = 0
        request = urllib.request.Request(self._url, headers={"Range": f"bytes={have}-"} if have else {})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:
                if have and reply.status != 206:  # the server sends the whole file
                    self._discard()
                with open(self._part, "ab") as part:
                    self._copy(reply, part)
        except HTTPError as error:
            self._refused(error)
        except URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise DownloadFailed(f"{self._url}: {error.reason} (apt-get install ca-certificates)") from None
            raise _Interrupted(error.reason) from None
        except (OSError, HTTPException) as error:
            raise _Interrupted(str(error) or type(error).__name__) from None
        if self._received() < self._size:
            raise _Interrupted(f"the connection closed after {self._received()} of {self._size} bytes")
        if self._received() > self._size:
            self._discard()
            raise DownloadFailed(f"{self._url}: more than the expected {self._size} bytes")

    def _copy(self, reply: HTTPResponse, part: IO[bytes]) -> None:
        while chunk := reply.read(CHUNK_BYTES):
            if self._stop.is_set():
                raise DownloadCancelled
            part.write(chunk)
            self._on_bytes(len(chunk))

    def _refused(self, error: HTTPError) -> None:
        if error.code == 416:  # the part does not fit the file on the server
            self._discard()
        if error.code in (408, 416, 429) or error.code >= 500:
            raise _Interrupted(f"the server answered {error.code}") from None
        raise DownloadFailed(f"{self._url}: the server answered {error.code}") from None
