"""Writes the settings tables from pipeline/settings.py: all of them into docs/settings.md, the ones
most people change into README.md. `make docs` runs it; a test compares."""

import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.settings import SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[1]
MARKS = re.compile(r"(<!-- settings:[^\n]*-->\n).*(<!-- /settings -->)", re.DOTALL)
MOST_CHANGED = (
    "BINANCE_BASE_URL",
    "SYMBOLS",
    "QUOTE_ASSET",
    "KLINE_INTERVALS",
    "PRICE_INTERVAL_SECONDS",
    "TRADES_BACKFILL",
    "KLINES_BACKFILL",
    "WEIGHT_BUDGET_PERCENT",
    "API_PORT",
    "LOG_LEVEL",
)
TABLES: dict[Path, tuple[Setting, ...]] = {
    ROOT / "docs" / "settings.md": SETTINGS,
    ROOT / "README.md": tuple(setting for setting in SETTINGS if setting.name in MOST_CHANGED),
}


def shown(default: str) -> str:
    """A default such as `=PGHOST` is the value of that setting."""
    return f"that of `{default[1:]}`" if default.startswith("=") else f"`{default}`"


def default_of(setting: Setting) -> str:
    own = (f"{program}: {shown(default)}" for program, default in setting.own.items())
    return "; ".join([shown(setting.default), *own])


def table(settings: Iterable[Setting]) -> str:
    rows = [f"| `{setting.name}` | {default_of(setting)} | {setting.help} |" for setting in settings]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows]) + "\n"


def with_table(text: str, settings: Iterable[Setting]) -> str:
    """The document with its table replaced."""
    return MARKS.sub(lambda found: found[1] + table(settings) + found[2], text)


def main() -> None:
    for path, settings in TABLES.items():
        path.write_text(with_table(path.read_text(encoding="utf-8"), settings), encoding="utf-8")


if __name__ == "__main__":
    main()
