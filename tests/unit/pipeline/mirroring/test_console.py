"""Lines on a terminal and elsewhere."""

import io

import pytest

from pipeline.mirroring.console import ERASE_LINE, GREEN, Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock():
    times = iter(range(0, 1000, 2))
    return lambda: float(next(times))


def test_progress_is_overwritten_on_a_terminal(monkeypatch, clock) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    console = Console(out, clock)
    console.progress("1 row")
    console.progress("2 rows")
    console.line("equal")
    assert out.getvalue() == f"1 row{ERASE_LINE}2 rows{ERASE_LINE}equal\n"


def test_progress_elsewhere_is_a_line_every_few_seconds(clock) -> None:
    out = io.StringIO()
    console = Console(out, clock)
    for rows in range(5):
        console.progress(f"{rows} rows")
    assert out.getvalue() == "0 rows\n3 rows\n"


@pytest.mark.parametrize(("variable", "coloured"), [("", True), ("1", False)])
def test_colours_only_on_a_terminal_and_without_no_color(monkeypatch, variable: str, coloured: bool) -> None:
    monkeypatch.setenv("NO_COLOR", variable)
    terminal, file = Terminal(), io.StringIO()
    Console(terminal).done("equal")
    Console(file).done("equal")
    assert (GREEN in terminal.getvalue()) is coloured
    assert file.getvalue() == "equal\n"
