"""The table of docs/forecasts.md is what its command prints, and the README quotes it. No service
is needed, but half a minute."""

import re
import shlex
import subprocess
import sys

from tests.unit.test_documents import README, ROOT, text_of

FORECASTS = ROOT / "docs" / "forecasts.md"


def test_table_of_the_document_is_what_its_command_prints() -> None:
    (command,) = re.findall(r"^python3 (forecast_volatility.py --evaluate .*gz)$", text_of(FORECASTS), re.MULTILINE)
    program, option, pattern = shlex.split(command)
    files = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
    assert files
    ran = subprocess.run(
        [sys.executable, program, option, *files], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert without_cost(ran.stdout) == without_cost(quoted(text_of(FORECASTS)))


def test_readme_quotes_rows_of_that_table_and_its_command() -> None:
    rows, of_document = without_cost(quoted(text_of(README))), without_cost(quoted(text_of(FORECASTS)))
    assert len(rows) > 2
    assert [row for row in rows if row not in of_document] == []
    command = "python3 forecast_volatility.py --evaluate examples/forecast/*.csv.gz"
    assert command in text_of(README)
    assert command in text_of(FORECASTS)


def quoted(text: str) -> str:
    found = re.search(r"<!-- forecast: .*-->\n(.*?)<!-- /forecast -->", text, re.DOTALL)
    assert found
    return found[1]


def without_cost(table: str) -> list[list[str]]:
    """The cells of each line except the last one, which depends on the machine."""
    return [line.split("|")[1:-2] for line in table.splitlines()]
