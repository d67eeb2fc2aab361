import io
import re

from local.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_plain_outside_a_terminal():
    out = io.StringIO()
    Console(out).report("kafka", "ready (4.7 s)")
    assert re.fullmatch(r" +\d+\.\d s  kafka +ready \(4\.7 s\)\n", out.getvalue())


def test_a_terminal_gets_colour(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    Console(out).report("kafka", "ready (4.7 s)")
    assert "\033[32m" in out.getvalue()


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    Console(out).problem("port 9042 is taken")
    assert out.getvalue() == "port 9042 is taken\n"


def test_progress_outside_a_terminal_is_a_line_every_five_seconds():
    now = [100.0]
    out = io.StringIO()
    console = Console(out, clock=lambda: now[0])
    for _ in range(12):
        console.progress("jars", "downloaded one more")
        now[0] += 1
    assert len(out.getvalue().splitlines()) == 2


def test_a_closed_output_does_not_stop_the_stack():
    out = io.StringIO()
    console = Console(out)
    out.close()
    console.report("kafka", "stopped")
