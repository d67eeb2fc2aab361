import pytest

from pipeline import program
from pipeline.errors import BadSetting, StoreUnavailable


def raising(error):
    def main():
        raise error

    return main


def test_exit_code_is_what_main_returns():
    assert program.run("api", lambda: 0) == 0
    assert program.run("api", lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [(BadSetting("PGPORT='x': expected a number"), 2), (StoreUnavailable("refused"), 1), (KeyboardInterrupt(), 130)],
)
def test_expected_error_is_an_exit_code_and_one_line_at_most(error, code, capsys):
    assert program.run("api", raising(error)) == code
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    assert shown == (f"api: {error}\n" if code != 130 else "")


def test_bug_keeps_its_traceback_and_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        program.run("api", raising(ZeroDivisionError()))
