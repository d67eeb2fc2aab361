"""Rows as encoded answers: JSON, ETag, gzip when it pays and is wanted. Knows HTTP; knows nothing of the rows."""

import gzip
from functools import cached_property
from hashlib import blake2b
from typing import Any

import orjson
from flask import Request, Response

# Below it a packet more or less is not worth the work.
GZIP_FROM_BYTES = 1400
# 500 candles: 1.3 ms and an eighth of the bytes; higher levels take twice as long for little.
GZIP_LEVEL = 1


class Answer:
    """A body and what goes with it; made once, sent often."""

    def __init__(self, body: bytes, mimetype: str = "application/json", rows: int = 0, **headers: str) -> None:
        self.body, self.mimetype, self.rows, self.headers = body, mimetype, rows, headers

    @classmethod
    def of_rows(cls, rows: list[dict[str, Any]], **headers: str) -> "Answer":
        return cls(orjson.dumps(rows) + b"\n", rows=len(rows), **headers)

    @classmethod
    def of_object(cls, content: dict[str, Any]) -> "Answer":
        return cls(orjson.dumps(content) + b"\n")

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

    def response(self, request: Request, fresh_seconds: int) -> Response:
        """What is sent: the body, or 304 when the client has it."""
        if fresh_seconds and request.headers.get("If-None-Match") and request.if_none_match.contains_weak(self.etag):
            response = Response(status=304)
        elif len(self.body) >= GZIP_FROM_BYTES and accepts_gzip(request):
            response = Response(self.gzipped, mimetype=self.mimetype)
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = Response(self.body, mimetype=self.mimetype)
        headers = response.headers
        headers["Vary"] = "Accept-Encoding"
        headers["Cache-Control"] = f"max-age={fresh_seconds}" if fresh_seconds else "no-store"
        if fresh_seconds:
            # Weak: the gzipped body is the same answer.
            headers["ETag"] = f'W/"{self.etag}"'
        for name, value in self.headers.items():
            headers[name.replace("_", "-")] = value
        return response


def accepts_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "") and request.accept_encodings["gzip"] > 0
