import re
import subprocess

from local.layout import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE)


def test_make_alone_lists_every_target():
    output = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[1] for line in output.splitlines()] == TARGETS


def test_every_target_is_phony():
    phony = re.search(r"^\.PHONY:(.*)$", MAKEFILE, flags=re.MULTILINE).group(1).split()
    assert sorted(phony) == sorted(TARGETS)


def test_the_documented_targets_exist():
    assert {"demo", "local", "test", "test-compose", "bench", "lint", "clean"} <= set(TARGETS)
