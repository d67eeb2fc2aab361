"""Writes the table of docs/settings.md from pipeline/settings.py. `make docs` runs it; a test
compares."""

import re
from pathlib import Path

from pipeline.settings import SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[1]
MARKS = re.compile(r"(<!-- settings:[^\n]*-->\n).*(<!-- /settings -->)", re.DOTALL)
DOCUMENT = ROOT / "docs" / "settings.md"


def shown(default: str) -> str:
    """A default such as `=PGHOST` is the value of that setting."""
    return f"that of `{default[1:]}`" if default.startswith("=") else f"`{default}`"


def default_of(setting: Setting) -> str:
    own = (f"{program}: {shown(default)}" for program, default in setting.own.items())
    return "; ".join([shown(setting.default), *own])


def table() -> str:
    rows = [f"| `{setting.name}` | {default_of(setting)} | {setting.help} |" for setting in SETTINGS]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows]) + "\n"


def with_table(text: str) -> str:
    """The document with its table replaced."""
    return MARKS.sub(lambda found: found[1] + table() + found[2], text)


def main() -> None:
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
