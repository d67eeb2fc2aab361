"""A real Chromium without a window, and what its pages did: requests, console lines, errors."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium on this machine (Debian and Ubuntu: apt-get install chromium)"
# As root in a container there is no sandbox; what follows keeps the browser itself off the network.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """The browser; skips the test if the machine has none. `profile`: a directory for its files."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*OPTIONS, f"--disk-cache-dir={profile}"], headless=True
        )
        yield browser
        browser.close()


class Visit:
    """A page of the browser. `requests`: the addresses it requested. `errors`: lines of its console
    that are errors or warnings, and exceptions that no script caught."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._on_console)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def wait(self, expression: str, timeout_seconds: float = 15) -> None:
        """Until the JavaScript expression is true. It is sent as a function, because the page's
        policy forbids eval."""
        self.page.wait_for_function(f"() => {expression}", timeout=timeout_seconds * 1000)
