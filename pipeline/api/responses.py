"""Rows as encoded answers: JSON, ETag, gzip when it pays and is wanted. Knows HTTP; knows nothing
of the rows."""

import gzip
from functools import cached_property
from hashlib import blake2b
from typing import Any

import orjson
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

# Below it a packet more or less is not worth the work.
GZIP_FROM_BYTES = 1400
# Higher levels take twice as long for little.
GZIP_LEVEL = 1

Reply = tuple[str, list[tuple[str, str]], bytes]


class Answer:
    """A body and what goes with it; made once, sent often. `fresh_seconds`: how long a reader may
    keep it."""

    def __init__(self, body: bytes, mimetype: str = "application/json", rows: int = 0, **headers: str) -> None:
        self.body = body
        self.mimetype = mimetype
        self.rows = rows
        self._headers = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.fresh_seconds = 0

    @classmethod
    def of_rows(cls, rows: list[dict[str, Any]], **headers: str) -> "Answer":
        return cls(orjson.dumps(rows) + b"\n", rows=len(rows), **headers)

    @classmethod
    def of_object(cls, content: dict[str, Any]) -> "Answer":
        return cls(orjson.dumps(content) + b"\n")

    def fresh_for(self, seconds: int) -> "Answer":
        self.fresh_seconds = seconds
        return self

    @cached_property
    def etag(self) -> str:
        return blake2b(self.body, digest_size=12).hexdigest()

    @cached_property
    def gzipped(self) -> bytes:
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)

    @property
    def size(self) -> int:
        """Bytes in memory, about; the gzipped body may come later."""
        return len(self.body) * 5 // 4 + 1000

    @cached_property
    def _always(self) -> list[tuple[str, str]]:
        kept = f"max-age={self.fresh_seconds}" if self.fresh_seconds else "no-store"
        headers = [("Vary", "Accept-Encoding"), ("Cache-Control", kept), *self._headers]
        # Weak: the gzipped body is the same answer.
        return [*headers, ("ETag", f'W/"{self.etag}"')] if self.fresh_seconds else headers

    def reply(self, environ: dict[str, Any]) -> Reply:
        """Status, headers and body for this request: 304 when the client has the body already."""
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known and self.fresh_seconds and parse_etags(known).contains_weak(self.etag):
            return "304 NOT MODIFIED", self._always, b""
        headers, body = [*self._always, ("Content-Type", self.mimetype)], self.body
        if len(body) >= GZIP_FROM_BYTES and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            headers, body = [*headers, ("Content-Encoding", "gzip")], self.gzipped
        return "200 OK", [*headers, ("Content-Length", str(len(body)))], body


def accepts_gzip(accepted: str) -> bool:
    return "gzip" in accepted and ("q=" not in accepted or parse_accept_header(accepted, Accept)["gzip"] > 0)
