"""The market page: its HTML, and the scripts and styles it loads. The charting library is one file
of the package litecharts (docs/decisions/0009-charting-library.md). Knows files and HTTP headers;
the numbers come to the page from the other routes."""

from functools import cached_property, partial
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

from flask import Flask, Response, abort, request

from pipeline.api.pages import TEMPLATES
from pipeline.api.responses import EncodedResponse
from pipeline.api.route_specs import STATIC_PATH
from pipeline.symbols import LISTED

STATIC_DIRECTORY = Path(__file__).parent / "static"
MIMETYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
CHARTS_SCRIPT = "lightweight-charts.js"
YEAR_SECONDS = 365 * 24 * 60 * 60
# Scripts, styles and data of this origin only; nothing inline, no eval, no frame around the page.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def charts_script() -> Path:
    """The charting library's file. Its Python package is located, but not imported."""
    package = find_spec("litecharts")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the package litecharts is missing: pip install -r requirements.txt")
    return Path(package.origin).parent / "js" / CHARTS_SCRIPT


class StaticFile(EncodedResponse):
    """A file whose address changes with its content, so that browsers keep it."""

    gzip_level = 9  # compressed once

    def __init__(self, path: Path) -> None:
        super().__init__(path.read_bytes(), MIMETYPES[path.suffix], X_Content_Type_Options="nosniff")
        self.fresh_seconds = YEAR_SECONDS

    @cached_property
    def cache_control(self) -> str:
        return f"{super().cache_control}, immutable"


class MarketPage:
    """Reads all files once. `version` is a digest of them and part of every file's address."""

    def __init__(self) -> None:
        paths = [*(path for path in STATIC_DIRECTORY.iterdir() if path.suffix in MIMETYPES), charts_script()]
        self._files = {path.name: StaticFile(path) for path in sorted(paths)}
        content = b"".join(file.body for file in self._files.values())
        self.version = blake2b(content, digest_size=8).hexdigest()

    def html(self) -> EncodedResponse:
        body = TEMPLATES.get_template("market.html").render(
            static=f"{STATIC_PATH.lstrip('/')}/{self.version}", symbol_pattern=LISTED
        )
        return EncodedResponse(
            body.encode(),
            "text/html; charset=utf-8",
            Content_Security_Policy=CONTENT_SECURITY_POLICY,
            Referrer_Policy="no-referrer",
            X_Content_Type_Options="nosniff",
        )

    def static_file(self, version: str, name: str) -> Response:
        """A view function. Only the current version has an address: an old page must not get new
        files."""
        if version != self.version or name not in self._files:
            abort(404)
        status, headers, body = self._files[name].for_request(request.environ)
        return Response(body, status, headers)


def add_static_files(app: Flask, page: MarketPage) -> None:
    app.add_url_rule(f"{STATIC_PATH}/<version>/<name>", "static", partial(page.static_file))
