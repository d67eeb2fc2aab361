"""Encoded responses: JSON, ETag, gzip if the client accepts it and it pays. Knows HTTP; knows
nothing of the rows."""

import gzip
from functools import cached_property
from hashlib import sha1
from typing import Any, NamedTuple

import orjson
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

# Below this, saving a network packet is not worth the CPU time.
MIN_GZIP_BYTES = 1400
# Higher levels take twice as long and save little.
GZIP_LEVEL = 1

StatusHeadersBody = tuple[str, list[tuple[str, str]], bytes]


class Rows(NamedTuple):
    """What a route answers before it is encoded: rows, and headers of its own."""

    rows: list[dict[str, Any]]
    headers: dict[str, str] = {}


class EncodedResponse:
    """A body with its headers, encoded once and sent to many clients. `fresh_seconds`: how long a
    client may keep it."""

    gzip_level = GZIP_LEVEL

    def __init__(self, body: bytes, mimetype: str = "application/json", rows: int = 0, **headers: str) -> None:
        self.body = body
        self.mimetype = mimetype
        self.rows = rows
        self._headers = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.fresh_seconds = 0

    @classmethod
    def of_rows(cls, rows: list[dict[str, Any]], **headers: str) -> "EncodedResponse":
        return cls(orjson.dumps(rows) + b"\n", rows=len(rows), **headers)

    @classmethod
    def of_object(cls, content: dict[str, Any]) -> "EncodedResponse":
        return cls(orjson.dumps(content) + b"\n")

    def fresh_for(self, seconds: int) -> "EncodedResponse":
        self.fresh_seconds = seconds
        return self

    @cached_property
    def etag(self) -> str:
        # Half the time of blake2b, because processors have instructions for it.
        return sha1(self.body, usedforsecurity=False).hexdigest()

    @cached_property
    def gzipped(self) -> bytes:
        return gzip.compress(self.body, self.gzip_level, mtime=0)

    @property
    def size(self) -> int:
        """Approximate bytes in memory, including the gzipped body, which is made when it is first
        needed."""
        return len(self.body) * 5 // 4 + 1000

    @cached_property
    def cache_control(self) -> str:
        return f"max-age={self.fresh_seconds}" if self.fresh_seconds else "no-store"

    @cached_property
    def _common_headers(self) -> list[tuple[str, str]]:
        headers = [("Vary", "Accept-Encoding"), ("Cache-Control", self.cache_control), *self._headers]
        # A weak ETag, because the gzipped and the plain body share it.
        return [*headers, ("ETag", f'W/"{self.etag}"')] if self.fresh_seconds else headers

    def for_request(self, environ: dict[str, Any]) -> StatusHeadersBody:
        """Status, headers and body for this request: 304 if the client already has the body."""
        known_etags = environ.get("HTTP_IF_NONE_MATCH")
        if known_etags and self.fresh_seconds and parse_etags(known_etags).contains_weak(self.etag):
            return "304 NOT MODIFIED", self._common_headers, b""
        headers = [*self._common_headers, ("Content-Type", self.mimetype)]
        body = self.body
        if len(body) >= MIN_GZIP_BYTES and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            headers = [*headers, ("Content-Encoding", "gzip")]
            body = self.gzipped
        return "200 OK", [*headers, ("Content-Length", str(len(body)))], body


def accepts_gzip(accepted: str) -> bool:
    return "gzip" in accepted and ("q=" not in accepted or parse_accept_header(accepted, Accept)["gzip"] > 0)
