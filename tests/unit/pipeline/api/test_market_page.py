"""The market page's files and headers; what a browser makes of them is in tests/integration/api."""

import gzip
import hashlib
import re

import pytest

from pipeline.api.app import create_app
from pipeline.api.market_page import STATIC_DIRECTORY, charts_script
from pipeline.errors import StoreUnavailable
from tests.unit.pipeline.api.test_app import FakeStore

# lightweight-charts.standalone.production.js of release 5.1.0, as its authors publish it.
OFFICIAL_SHA256 = "756b0ba9f58930226d6b8b9d47ad310448ab85d799ea1f7c2c02304777c10b52"


@pytest.fixture
def client(defaults):
    return create_app(defaults, FakeStore(StoreUnavailable("unavailable"))).test_client()


@pytest.fixture
def html(client):
    return client.get("/market").get_data(as_text=True)


def addresses(html):
    return re.findall(r'(?:src|href)="(static/[^"]+)"', html)


def test_page_is_served_while_cassandra_is_unavailable(client):
    reply = client.get("/market")
    assert (reply.status_code, reply.mimetype) == (200, "text/html")


def test_page_and_its_files_refer_to_nothing_on_other_machines(html):
    texts = [html, *(path.read_text() for path in STATIC_DIRECTORY.iterdir())]
    links = {link for text in texts for link in re.findall(r"https?://[^\s\"<')]+", text)}
    # A link that a person may follow, and the name of SVG, which no browser requests.
    assert links == {"https://www.tradingview.com/", "http://www.w3.org/2000/svg"}


def test_scripts_and_styles_are_files_so_that_the_policy_can_refuse_inline_ones(client, html):
    assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", html) == []
    policy = client.get("/market").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_every_script_that_is_imported_is_loaded_early(html):
    imported = {
        name for path in STATIC_DIRECTORY.glob("*.js") for name in re.findall(r'from "\./(.*?)"', path.read_text())
    }
    assert imported <= {address.rsplit("/")[-1] for address in addresses(html)}


def test_text_from_the_api_never_becomes_markup():
    for path in STATIC_DIRECTORY.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", path.read_text()
        )


def test_file_is_kept_by_browsers_because_its_address_changes_with_its_content(client, html):
    assert len(addresses(html)) >= 5
    for address in addresses(html):
        reply = client.get(f"/{address}")
        assert reply.status_code == 200, address
        assert reply.headers["Cache-Control"] == "max-age=31536000, immutable"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.mimetype == ("text/css" if address.endswith(".css") else "text/javascript")


def test_large_file_is_compressed(client, html):
    address = next(address for address in addresses(html) if address.endswith("lightweight-charts.js"))
    plain, compressed = client.get(f"/{address}"), client.get(f"/{address}", headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.data) == plain.data
    assert len(compressed.data) < 70_000


@pytest.mark.parametrize(
    "address", ["/static/0123/market.js", "/static/{version}/../app.py", "/static/{version}/none.js"]
)
def test_other_versions_and_other_files_are_404(client, html, address):
    version = addresses(html)[0].split("/")[1]
    reply = client.get(address.format(version=version))
    assert reply.status_code == 404
    assert set(reply.get_json()) == {"error"}


def test_charting_library_is_the_file_that_its_authors_published():
    assert hashlib.sha256(charts_script().read_bytes()).hexdigest() == OFFICIAL_SHA256
