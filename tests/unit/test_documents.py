"""What the documents say is what the program does."""

import re

import pytest

from pipeline.settings import SETTINGS
from scripts.settings_table import MARKS, README, table
from tests.support.program import ROOT


def test_readme_lists_every_setting_as_it_is() -> None:
    found = MARKS.search(README.read_text(encoding="utf-8"))
    assert found[0] == found[1] + table() + found[2], "run: python3 -m scripts.settings_table"


def test_env_example_lists_every_setting_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))
    expected = {s.name: "" if s.default.startswith("=") else s.default for s in SETTINGS}
    assert {name: given.get(name) for name in expected} == expected


def test_every_variable_of_the_compose_file_is_explained() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+):-", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    explained = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert used - explained == set()


@pytest.mark.parametrize("target", ["demo", "local", "test", "test-compose", "bench", "lint", "clean"])
def test_make_has_the_targets_of_the_readme(target: str) -> None:
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
