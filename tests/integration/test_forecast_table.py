"""The table of the README is what its command prints. No service is needed, but half a minute."""

import re
import shlex
import subprocess
import sys

from tests.unit.test_documents import README, ROOT, text_of


def test_table_of_the_readme_is_what_its_command_prints() -> None:
    text = text_of(README)
    (command,) = re.findall(r"^python3 (forecast_volatility.py --evaluate .*)$", text, re.MULTILINE)
    program, option, pattern = shlex.split(command)
    files = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
    assert files
    ran = subprocess.run(
        [sys.executable, program, option, *files], cwd=ROOT, capture_output=True, text=True, check=True
    )
    quoted = re.search(r"<!-- forecast: .*-->\n(.*?)<!-- /forecast -->", text, re.DOTALL)
    assert quoted
    assert without_cost(ran.stdout) == without_cost(quoted[1])


def without_cost(table: str) -> list[list[str]]:
    """The cells of each line except the last one, which depends on the machine."""
    return [line.split("|")[1:-2] for line in table.splitlines()]
