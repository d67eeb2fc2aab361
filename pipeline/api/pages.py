"""The two pages without scripts: `/` and `/docs`. No fonts, no external resources. Links are
relative, so they are right behind a proxy with a path prefix too. Knows the templates; the content
comes from openapi.py and freshness.py."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup, escape

from pipeline.api.freshness import Freshness
from pipeline.errors import StoreUnavailable

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)


def code(text: str) -> Markup:
    """Text in backticks as code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))


TEMPLATES.filters["code"] = code
EXAMPLES = (
    ("klines?symbol=ETHUSDT&limit=3", "the three newest 1-minute candles of ETHUSDT"),
    ("klines?symbol=ETHUSDT&interval=15m&limit=96", "a day of 15-minute candles"),
    ("crypto_24h_stats?sort=quote_volume&limit=10", "the ten most traded symbols"),
    ("latest_prices?symbol=BTCUSDT,ETHUSDT&points=300", "prices of the last day in at most 300 rows"),
    ("recent_trades?symbol=BTCUSDT&limit=20", "the newest trades"),
    ("order_book?symbol=BTCUSDT&limit=1&levels=5", "the newest order book, five levels per side"),
    ("depth?symbol=BTCUSDT", "the same as a depth chart"),
    ("forecasts?symbol=BTCUSDT&limit=3", "the newest forecasts of volatility, with their price ranges"),
    ("market_summary", "how many symbols rise and fall, per quote asset"),
    ("symbols?tracked=true", "symbols with trades, books and candles"),
    ("freshness", "the age of each table's newest row"),
    ("tables", "the tables that you added, with columns and keys"),
)
OTHERS = (
    ("docs", "every route and parameter"),
    ("openapi.json", "the same for programs (OpenAPI 3.1)"),
    ("health", "whether Cassandra answers"),
    ("metrics", "for Prometheus"),
)


def start_page(freshness: Freshness) -> bytes:
    """Freshness of every table, and links to everything."""
    try:
        rows, unavailable = freshness.rows(), False
    except StoreUnavailable:
        rows, unavailable = [], True
    tables = [{**row, "newest": utc_text(row["updated_at"])} for row in rows]
    template = TEMPLATES.get_template("start.html")
    return template.render(tables=tables, unavailable=unavailable, examples=EXAMPLES, others=OTHERS).encode()


def docs_page(document: dict[str, Any]) -> bytes:
    """The OpenAPI document for people."""
    return TEMPLATES.get_template("docs.html").render(document=document).encode()


def utc_text(ms: int | None) -> str:
    return "no row yet" if ms is None else f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
