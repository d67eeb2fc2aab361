"""The README's table of settings from pipeline/settings.py: `python3 -m scripts.settings_table`
writes it into the README, and a test compares the two."""

import re
from pathlib import Path

from pipeline.settings import SETTINGS

README = Path(__file__).resolve().parents[1] / "README.md"
MARKS = re.compile(r"(<!-- settings:[^\n]*-->\n).*(<!-- /settings -->)", re.DOTALL)


def default_of(setting) -> str:
    shown = f"that of `{setting.default[1:]}`" if setting.default.startswith("=") else f"`{setting.default}`"
    others = (
        f"; {program}: {'that of ' if value.startswith('=') else ''}`{value.lstrip('=')}`"
        for program, value in setting.own.items()
    )
    return shown + "".join(others)


def table() -> str:
    rows = [f"| `{setting.name}` | {default_of(setting)} | {setting.help} |" for setting in SETTINGS]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows]) + "\n"


def main() -> None:
    text = README.read_text(encoding="utf-8")
    README.write_text(MARKS.sub(lambda found: found[1] + table() + found[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
