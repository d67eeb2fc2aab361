"""/market in a real Chromium, over a real API and Cassandra."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Browser

from tests.integration.api.known import SOURCE, write
from tests.integration.api.market_rows import BARE, DECIMALS, FULL, HOSTILE, OTHER_SCRIPT, SMALL, market_rows
from tests.support.browser import Visit, chromium
from tests.support.restarts import start_cassandra
from tests.support.waiting import wait_until

PHONE, WIDE = {"width": 420, "height": 900}, {"width": 1600, "height": 1000}
# Something is painted on a canvas of the chart, and the areas of the order book are there.
DRAWN = """[...document.querySelectorAll('#candles canvas')].some((canvas) => {
    if (canvas.width < 50 || canvas.height < 50) return false;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    return copy.getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
}) && document.querySelectorAll('#depth path').length === 4"""
# For each text: its colour and all backgrounds behind it, painted on one pixel each by the browser.
CONTRASTS = """() => {
    const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {
        willReadFrequently: true});
    const luminance = ([r, g, b]) => [[r, 0.2126], [g, 0.7152], [b, 0.0722]].reduce((sum, [value, weight]) => {
        const part = value / 255;
        return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    }, 0);
    const painted = (colours) => {
        colours.forEach((colour) => { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); });
        return luminance(context.getImageData(0, 0, 1, 1).data);
    };
    const backgrounds = (element) => {
        const found = [];
        for (let each = element; each; each = each.parentElement) {
            const style = getComputedStyle(each);
            const bar = /^linear-gradient\\((.*\\)), \\1\\)$/.exec(style.backgroundImage.replace(/ 0%| 100%/g, ''));
            found.unshift(style.backgroundColor, ...(bar ? [bar[1]] : []));
        }
        return found;
    };
    const results = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const text = walker.currentNode.data.trim();
        if (!text || !element.checkVisibility() || ['SCRIPT', 'NOSCRIPT'].includes(element.tagName)) continue;
        const style = getComputedStyle(element);
        const behind = ['white', ...backgrounds(element)];
        const colour = element instanceof SVGElement ? style.fill : style.color;
        const [dark, light] = [painted(behind), painted([...behind, colour])].sort((a, b) => a - b);
        results.push([text, (light + 0.05) / (dark + 0.05)]);
    }
    return results;
}"""

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _rows(browser, api, writer, base):
    with market_rows(writer):
        yield
    # The API answers from its caches for up to a second; the next test must not see these rows.
    wait_until(lambda: FULL not in requests.get(f"{base}/crypto_24h_stats", timeout=5).text, 10, "rows removed")


@pytest.fixture
def visit(browser, base):
    """`visit("ETHUSDT/5m")`: the page with this symbol and interval."""
    contexts = []

    def open_page(shown: str = "", color_scheme: str = "light", viewport: dict[str, int] = WIDE) -> Visit:
        contexts.append(browser.new_context(viewport=viewport, color_scheme=color_scheme))
        found = Visit(contexts[-1].new_page())
        found.page.goto(f"{base}/market#{quote(shown)}")
        return found

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def drawn(visit):
    def open_page(shown: str = f"{FULL}/1m", **options: Any) -> Visit:
        found = visit(shown, **options)
        found.wait(DRAWN)
        return found

    return open_page


def as_shown(value: float, decimals: int) -> str:
    """A number as the page shows it, computed without floating point."""
    return f"{Decimal(repr(value)):,.{decimals}f}"


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["420", "1600"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_page_is_drawn_without_an_error_and_requests_nothing_of_other_machines(drawn, base, color_scheme, viewport):
    found = drawn(color_scheme=color_scheme, viewport=viewport)
    rounds = len([url for url in found.requests if "/freshness" in url])
    with found.page.expect_response(lambda response: "/freshness" in response.url):
        pass  # the next refresh
    assert rounds >= 1
    assert found.errors == []
    assert [url for url in found.requests if not url.startswith((base, "data:"))] == []
    elapsed = found.page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    print(f"DOM ready after {elapsed:.0f} ms")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("live: data-api.binance.vision", "LIVE"),
        ("simulator: random market, seed 7", "SIMULATED"),
        ("simulator: replay of recorded data (a.csv)", "REPLAYED"),
        ("<b>other</b>", "<B>OTHER</B>"),
    ],
)
def test_top_of_the_page_says_whether_data_are_live_simulated_or_replayed(visit, writer, name, shown):
    write(writer, "data_source", [{**SOURCE[0], "name": name}])
    try:
        found = visit()
        found.wait(f"document.querySelector('#source').title === {json.dumps(name)}")
        assert found.text("#source") == shown
    finally:
        write(writer, "data_source", SOURCE)


@pytest.mark.parametrize("symbol", [FULL, SMALL])
def test_figures_are_those_of_the_api_with_all_their_decimals(drawn, rows: Rows, symbol):
    found, decimals = drawn(f"{symbol}/1m"), DECIMALS[symbol]
    [newest] = rows("/latest_prices", symbol=symbol, limit=1)
    [stats] = rows("/crypto_24h_stats", symbol=symbol, sort="symbol", limit=1)
    [book] = rows("/order_book", symbol=symbol, limit=1)
    assert found.text("#price") == as_shown(newest["price"], decimals)
    assert found.text("#high") == as_shown(stats["high_price"], decimals)
    assert found.text("#low") == as_shown(stats["low_price"], decimals)
    assert found.text("#trade-count") == f"{stats['trade_count']:,}"
    assert Decimal(found.page.locator("#turnover").get_attribute("title").replace(",", "")) == Decimal(
        repr(stats["quote_volume"])
    )
    assert (found.text("#bid"), found.text("#ask")) == (
        as_shown(book["best_bid"], decimals),
        as_shown(book["best_ask"], decimals),
    )


@pytest.mark.parametrize("symbol", [FULL, SMALL])
def test_trades_are_those_of_the_api_newest_first(drawn, rows: Rows, symbol):
    found = drawn(f"{symbol}/1m")
    expected = rows("/recent_trades", symbol=symbol, limit=14)[::-1]
    shown = [row.split("\t") for row in found.texts("#trades tr")]
    assert [price for _, price, _ in shown] == [as_shown(row["price"], DECIMALS[symbol]) for row in expected]
    assert [quantity for _, _, quantity in shown] == [as_shown(row["quantity"], 3) for row in expected]
    sides = [found.page.locator("#trades tr").nth(index).get_attribute("title") for index in range(14)]
    assert sides == ["sold" if row["is_buyer_maker"] else "bought" for row in expected]


@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_candle_in_words_is_the_newest_of_the_chosen_interval(drawn, rows: Rows, interval):
    found = drawn(f"{FULL}/{interval}")
    [candle] = rows("/klines", symbol=FULL, interval=interval, limit=1)
    names = ("open_price", "high_price", "low_price", "close_price")
    assert found.texts("#legend b")[1:5] == [as_shown(candle[name], 2) for name in names]


def test_pressing_an_interval_or_a_symbol_shows_it_and_changes_the_address(drawn):
    found = drawn()
    found.page.get_by_role("button", name="15m", exact=True).click()
    found.wait(f"location.hash === '#{FULL}/15m'")
    found.page.locator(f"#watch button[data-symbol='{SMALL}']").click()
    found.wait("document.querySelector('#symbol').textContent === 'TINY / USDT'")
    assert found.page.url.endswith(f"#{SMALL}/15m")
    assert found.page.locator("#watch [aria-pressed=true]").get_attribute("data-symbol") == SMALL


def test_ten_most_traded_are_those_of_the_api(drawn, rows: Rows):
    found = drawn()
    expected = rows("/crypto_24h_stats", sort="quote_volume", quote_asset="USDT", limit=10)
    shown = [row.split("\t") for row in found.texts("#traded tr")]
    assert len(shown) == len(expected) >= 4
    titles = [cell.get_attribute("title") for cell in found.page.locator("#traded td:last-child").all()]
    assert [title.replace(",", "") for title in titles] == [
        as_shown(r["quote_volume"], 12).replace(",", "").rstrip("0").rstrip(".") for r in expected
    ]
    [[full], [small]] = [rows("/latest_prices", symbol=symbol, limit=1) for symbol in (FULL, SMALL)]
    prices = dict(zip([row["symbol"] for row in expected], [price for _, price, _, _ in shown]))
    assert (prices[FULL], prices[SMALL]) == (as_shown(full["price"], 2), as_shown(small["price"], 8))
    assert prices[HOSTILE] == "5.5"


def test_symbol_with_hostile_characters_is_text_and_nothing_else(drawn, visit):
    found = drawn()
    assert HOSTILE in [
        text.replace("\n", "").split("USDT")[0] + "USDT" for text in found.texts("#traded tr td:first-child")
    ]
    found.page.locator("#watch button", has_text="onerror").click()
    found.wait("!document.querySelector('#no-candles').hidden")
    assert "accepts no symbol with such characters" in found.text("#no-candles")
    again = visit(f"{HOSTILE}/1m", viewport=PHONE)
    again.wait("document.querySelector('#symbol').textContent.includes('onerror')")
    for each in (found, again):
        assert each.page.evaluate("document.images.length + document.querySelectorAll('main script').length") == 0
        assert each.page.evaluate("window.attacked") is None
        assert each.errors == []
    assert again.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_is_not_stored_is_said_in_words(visit):
    found = visit(f"{BARE}/1m")
    found.wait("!document.querySelector('#no-trades').hidden")
    assert found.text("#no-candles") == f"No 1m candle of {BARE} is stored yet."
    assert found.text("#no-book") == f"No order book of {BARE} is stored yet."
    assert found.text("#no-trades") == f"No trade of {BARE} is stored yet."
    assert found.text("#price") == "–"
    assert found.errors == []


@pytest.mark.parametrize("address", ["NOSUCH/1m", "%E0%A4%A", "//7x"])
def test_address_of_no_known_symbol_shows_the_most_traded_one(browser, base, address):
    with browser.new_context() as context:
        found = Visit(context.new_page())
        found.page.goto(f"{base}/market#{address}")
        found.wait(DRAWN)
        assert found.text("#symbol") == "PAGE / USDT"
        assert found.errors == []


@pytest.mark.parametrize("symbol", [FULL, SMALL])
@pytest.mark.parametrize("width", [360, 420, 700, 1100, 1600])
def test_no_width_scrolls_sideways(drawn, width, symbol):
    found = drawn(f"{symbol}/1m", viewport={"width": width, "height": 900})
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    too_wide = """() => [...document.querySelectorAll('main *')].filter((each) => each.checkVisibility() &&
        each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML.slice(0, 80))"""
    assert found.page.evaluate(too_wide) == []


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_contrast_of_every_text_is_at_least_4_5(drawn, color_scheme):
    found = drawn(color_scheme=color_scheme)
    contrasts = found.page.evaluate(CONTRASTS)
    assert len(contrasts) > 80
    assert [(text, round(ratio, 2)) for text, ratio in contrasts if ratio < 4.5] == []


def test_colours_follow_the_theme_without_a_reload(drawn):
    found = drawn()
    found.page.emulate_media(color_scheme="dark")
    found.wait("getComputedStyle(document.body).backgroundColor === 'rgb(12, 16, 22)'")
    found.wait(DRAWN)
    assert found.errors == []


def test_cassandra_unavailable_is_said_in_words_and_the_page_recovers_by_itself(drawn, visit, store, writer):
    found = drawn()
    store.stop_service("cassandra")
    unavailable = "document.querySelector('#problem').textContent.startsWith('Cassandra does not answer.')"
    try:
        found.wait(unavailable, 60)
        assert "The numbers below are from" in found.text("#problem")
        assert found.text("#price") != "–"
        opened_meanwhile = visit(f"{FULL}/1m")
        opened_meanwhile.wait(unavailable, 30)
    finally:
        start_cassandra(store, writer)
    for each in (found, opened_meanwhile):
        each.wait("document.querySelector('#problem').hidden", 60)
        each.wait(DRAWN)
        assert each.page.locator("#status").get_attribute("data-state") in ("fresh", "late")
    assert [error for error in found.errors if "503" not in error] == []


def test_symbol_of_another_script_is_shown_like_any_other(visit):
    found = visit(f"{OTHER_SCRIPT}/1m")
    found.wait("document.querySelectorAll('#trades tr').length > 0")
    assert found.text("#symbol") == "币安人生 / USDT"
    assert found.page.locator("#no-candles").is_hidden()
    assert found.errors == []
